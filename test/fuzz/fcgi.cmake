# What clients of the API send.
maintner_fuzzer(params fuzz_params.c LINK fcgi_core)
maintner_fuzzer(page_token fuzz_page_token.c LINK fcgi_core)
maintner_fuzzer(fields fuzz_fields.c LINK fcgi_json)
maintner_fuzzer(etag fuzz_etag.c LINK fcgi_core)
maintner_fuzzer(slo_rules fuzz_slo_rules.c LINK fcgi_core)
maintner_fuzzer(accept fuzz_accept.c LINK fcgi_core)
maintner_fuzzer(cel fuzz_cel.c LINK base_cel)
