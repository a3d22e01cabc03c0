# Parsers of the mutation log: they see bytes from disks and buckets.
maintner_fuzzer(mlog_record fuzz_mlog_record.c LINK mutation_log)
maintner_fuzzer(mlog_mutation fuzz_mlog_mutation.c LINK mutation_log)
maintner_fuzzer(mlog_fence fuzz_mlog_fence.c LINK mutation_log)
