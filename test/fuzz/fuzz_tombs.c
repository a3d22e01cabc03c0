/* fuzz_tombs.c - orders for tombstones: what is taken is within the limits and can be shown. */
#include <stdlib.h>

#include "sync/tombs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tomb_order *o;
	struct buf b;

	if (tomb_order_parse((struct slice){ (const char *)data, size }, &o, NULL) != 0)
		return 0;
	if (o->count > TOMB_NUMBERS_MAX)
		abort();
	for (size_t i = 0; i < o->count; i++) {
		const struct tomb_item *item = &o->items[i];

		if (item->number == 0 || item->number > INT32_MAX ||
		    item->result != TOMB_OPEN ||
		    (item->moved_to != NULL && strlen(item->moved_to) >= TOMB_DESTINATION_MAX))
			abort();
	}
	buf_init(&b, (size_t)1 << 20);
	tomb_order_show(o, true, &b);
	if (buf_err(&b) != 0)
		abort();
	buf_clear(&b);
	tomb_order_free(o);
	return 0;
}
