/* swpr_numbers.c - sets of issue numbers; see swpr_numbers.h. */
#include "tools/swpr_numbers.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"

void
swpr_numbers_clear(struct swpr_numbers *n)
{
	if (n == NULL)
		return;
	mem_free(n->items);
	*n = (struct swpr_numbers){ .items = NULL };
}

int
swpr_numbers_add(struct swpr_numbers *n, uint32_t number)
{
	if (n->count == SWPR_NUMBERS_MAX)
		return ERR_LIMIT;
	if (n->count == n->cap) {
		size_t cap = n->cap == 0 ? 64 : 2 * n->cap;
		uint32_t *items = mem_realloc(n->items, cap * sizeof(*items));

		if (items == NULL)
			return ERR_NOMEM;
		n->items = items;
		n->cap = cap;
	}
	n->items[n->count++] = number;
	return 0;
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

void
swpr_numbers_sort(struct swpr_numbers *n)
{
	size_t kept = 0;

	if (n->count == 0)
		return;
	qsort(n->items, n->count, sizeof(*n->items), compare);
	for (size_t i = 1; i < n->count; i++) {
		if (n->items[i] != n->items[kept])
			n->items[++kept] = n->items[i];
	}
	n->count = kept + 1;
}

bool
swpr_numbers_has(const struct swpr_numbers *n, uint32_t number)
{
	return n->count > 0 &&
	       bsearch(&number, n->items, n->count, sizeof(number), compare) != NULL;
}

int
swpr_numbers_without(
    const struct swpr_numbers *a, const struct swpr_numbers *b, struct swpr_numbers *ret)
{
	size_t j = 0;
	int rc = 0;

	for (size_t i = 0; i < a->count && rc == 0; i++) {
		while (j < b->count && b->items[j] < a->items[i])
			j++;
		if (j == b->count || b->items[j] != a->items[i])
			rc = swpr_numbers_add(ret, a->items[i]);
	}
	return rc;
}

void
swpr_numbers_format(const struct swpr_numbers *n, struct buf *out)
{
	for (size_t i = 0, end; i < n->count; i = end) {
		for (end = i + 1; end < n->count && n->items[end] == n->items[end - 1] + 1;)
			end++;
		buf_fmt(out, i == 0 ? "%" PRIu32 : ",%" PRIu32, n->items[i]);
		if (end > i + 1)
			buf_fmt(out, "-%" PRIu32, n->items[end - 1]);
	}
}

/* A decimal number without leading zeroes off the front of *at; 0 if there is none. */
static uint32_t
take_number(const char **at)
{
	uint64_t n = 0;
	const char *p = *at;

	if (*p == '0')
		return 0;
	for (; *p >= '0' && *p <= '9' && n <= INT32_MAX; p++)
		n = 10 * n + (uint64_t)(*p - '0');
	if (n > INT32_MAX)
		return 0;
	*at = p;
	return (uint32_t)n;
}

/* One "7" or "7-9" that begins after `least`. */
static int
take_range(const char **at, uint32_t least, struct swpr_numbers *ret)
{
	uint32_t from = take_number(at), to = from;
	int rc = 0;

	if (from <= least)
		return ERR_PROTO;
	if (**at == '-') {
		(*at)++;
		to = take_number(at);
		if (to <= from)
			return ERR_PROTO;
	}
	for (uint32_t n = from; n <= to && rc == 0; n++)
		rc = swpr_numbers_add(ret, n);
	return rc;
}

int
swpr_numbers_parse(const char *text, struct swpr_numbers *ret)
{
	uint32_t least = 0;
	int rc = 0;

	while (rc == 0 && *text != '\0') {
		rc = take_range(&text, least, ret);
		if (rc == 0)
			least = ret->items[ret->count - 1];
		if (rc == 0 && *text != '\0' && (*text != ',' || *++text == '\0'))
			rc = ERR_PROTO;
	}
	if (rc != 0)
		swpr_numbers_clear(ret);
	return rc;
}
