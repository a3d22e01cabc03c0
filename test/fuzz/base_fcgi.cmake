maintner_fuzzer(fcgi_server fuzz_fcgi_server.c LINK base_fcgi)
maintner_fuzzer(fcgi_client fuzz_fcgi_client.c LINK base_fcgi)
maintner_fuzzer(fcgi_pairs fuzz_fcgi_pairs.c LINK base_fcgi)
maintner_fuzzer(fcgi_cgi_head fuzz_fcgi_cgi_head.c LINK base_fcgi)
