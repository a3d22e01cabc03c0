# What tools read of logs.
maintner_fuzzer(record_owner fuzz_record_owner.c LINK tools_log)
