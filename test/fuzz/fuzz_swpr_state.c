/* fuzz_swpr_state.c - sweep states: what is taken is written so that it reads the same. */
#include <stdlib.h>

#include "tools/swpr_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_listing(const struct swpr_listing *l)
{
	for (size_t i = 0; i < l->seen.count; i++) {
		if (l->seen.items[i] == 0 || l->seen.items[i] > INT32_MAX ||
		    (i > 0 && l->seen.items[i] <= l->seen.items[i - 1]))
			abort();
	}
}

static void
check_missing(const struct swpr_repo_state *r)
{
	for (size_t i = 0; i < r->missing_count; i++) {
		if (!swpr_state_is_missing(r, r->missing[i].number) ||
		    (i > 0 && r->missing[i].number <= r->missing[i - 1].number))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct swpr_state one, two;
	struct buf a, b;

	if (swpr_state_parse((struct slice){ (const char *)data, size }, &one, NULL) != 0)
		return 0;
	for (size_t i = 0; i < one.count; i++) {
		check_listing(&one.repos[i]->listing);
		check_missing(one.repos[i]);
	}
	buf_init(&a, SWPR_STATE_BYTES_MAX);
	buf_init(&b, SWPR_STATE_BYTES_MAX);
	swpr_state_format(&one, &a);
	if (buf_err(&a) == 0) {
		if (swpr_state_parse(buf_view(&a), &two, NULL) != 0)
			abort();
		swpr_state_format(&two, &b);
		if (!slice_eq(buf_view(&a), buf_view(&b)))
			abort();
		swpr_state_clear(&two);
	}
	buf_clear(&a);
	buf_clear(&b);
	swpr_state_clear(&one);
	return 0;
}
