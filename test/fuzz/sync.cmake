# What GitHub sends, and texts that pass through.
maintner_fuzzer(gh_link fuzz_gh_link.c LINK sync_github)
maintner_fuzzer(gh_tokens fuzz_gh_tokens.c LINK sync_github)
maintner_fuzzer(json_text fuzz_json_text.c LINK base)
maintner_fuzzer(time fuzz_time.c LINK base)
maintner_fuzzer(diff fuzz_diff.c LINK sync_core)
maintner_fuzzer(gh_node_id fuzz_gh_node_id.c LINK sync_github)
maintner_fuzzer(graph_json fuzz_graph_json.c LINK sync_core)
maintner_fuzzer(tombs fuzz_tombs.c LINK sync_core)
