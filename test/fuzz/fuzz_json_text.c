/* fuzz_json_text.c - escaped texts: both directions undo each other. */
#include <stdint.h>
#include <stdlib.h>

#include "base/json_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Escape, unescape: the same text; the escaped form is a fixed point. */
static void
round_trip(struct slice text)
{
	struct buf escaped, back, again;

	buf_init(&escaped, (size_t)8 << 20);
	buf_init(&back, (size_t)8 << 20);
	buf_init(&again, (size_t)8 << 20);
	json_text_escape(&escaped, text);
	if (buf_err(&escaped) == 0) {
		if (json_text_unescape(&back, buf_view(&escaped)) != 0)
			abort(); /* bytes that are no UTF-8 have become U+FFFD */
		json_text_escape(&again, buf_view(&back));
		if (!slice_eq(buf_view(&again), buf_view(&escaped)))
			abort();
	}
	buf_clear(&escaped);
	buf_clear(&back);
	buf_clear(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	struct buf raw;

	round_trip(text);
	buf_init(&raw, (size_t)1 << 20);
	if (json_text_unescape(&raw, text) == 0)
		round_trip(buf_view(&raw));
	buf_clear(&raw);
	return 0;
}
