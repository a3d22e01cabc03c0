# What tools read of logs.
maintner_fuzzer(record_owner fuzz_record_owner.c LINK tools_log)
maintner_fuzzer(swpr_state fuzz_swpr_state.c LINK tools_swpr)
