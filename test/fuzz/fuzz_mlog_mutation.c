/*
 * fuzz_mlog_mutation.c - hostile payloads: bounded memory, and what unpacks packs to
 * bytes that, unpacked, pack to the same.
 */
#include <stdint.h>
#include <stdlib.h>

#include "mutation-log/mlog.h"
#include "mutation-log/mlog_mutation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Maintpb__Mutation *m = NULL;
	struct buf once, twice;
	struct arena a;

	arena_init(&a, MLOG_UNPACK_MAX);
	buf_init(&once, 2 * MLOG_RECORD_MAX);
	buf_init(&twice, 2 * MLOG_RECORD_MAX);
	if (mlog_mutation_unpack((struct slice){ (const char *)data, size }, &a, &m, NULL) ==
	    0) {
		if (mlog_mutation_pack(m, &once) != 0)
			abort();
		arena_reset(&a);
		/*
		 * It may not unpack again: protobuf-c takes an over-long tag of field 0, which
		 * nobody writes, for an unknown field, and packs it as one that it refuses.
		 */
		if (mlog_mutation_unpack(buf_view(&once), &a, &m, NULL) == 0 &&
		    (mlog_mutation_pack(m, &twice) != 0 ||
			!slice_eq(buf_view(&once), buf_view(&twice))))
			abort();
	}
	buf_clear(&once);
	buf_clear(&twice);
	arena_clear(&a);
	return 0;
}
