/*
 * fuzz_fcgi_pairs.c - name-value pairs: what was read and is written again means the
 * same, and GET_VALUES never answers more than its three variables.
 */
#include <stdlib.h>

#include "base/fcgi/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
rewrite(struct slice in, struct buf *out)
{
	struct fcgi_pair p;
	int rc;

	while ((rc = fcgi_pair_next(&in, &p)) == 1)
		fcgi_pair_add(out, p.name, p.value);
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf once, twice, values;

	buf_init(&once, (size_t)16 << 20);
	buf_init(&twice, (size_t)16 << 20);
	buf_init(&values, FCGI_CONTENT_MAX);
	(void)rewrite((struct slice){ (const char *)data, size }, &once);
	if (rewrite(buf_view(&once), &twice) != 0 ||
	    !slice_eq(buf_view(&once), buf_view(&twice)) || once.len > size)
		abort(); /* ours is the shortest form */
	if (fcgi_add_values(&values, (struct slice){ (const char *)data, size }, 1, 2) == 0 &&
	    (values.len < FCGI_HEADER_BYTES || values.len > 100))
		abort();
	buf_clear(&once);
	buf_clear(&twice);
	buf_clear(&values);
	return 0;
}
