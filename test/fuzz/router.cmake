# What strangers send to the router: paths, queries, backends' answers, lists, payloads.
maintner_fuzzer(router_path fuzz_router_path.c LINK router_core)
maintner_fuzzer(router_query fuzz_router_query.c LINK router_core)
maintner_fuzzer(router_head fuzz_router_head.c LINK router_core)
maintner_fuzzer(router_payload fuzz_router_payload.c LINK router_core)
maintner_fuzzer(repo_list fuzz_repo_list.c LINK base)
