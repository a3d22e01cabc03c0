/*
 * swpr_numbers.h - sets of issue numbers, and their text "1-7,9".  Pure.
 *
 * A set is filled in any order, then sorted once; the other functions want it sorted.
 */
#pragma once

#include "base/buf.h"

#define SWPR_NUMBERS_MAX ((size_t)8 << 20) /* of one repository */

struct swpr_numbers {
	uint32_t *items;
	size_t count, cap;
};

void swpr_numbers_clear(struct swpr_numbers *n); /* NULL is fine */
/* ERR_LIMIT past SWPR_NUMBERS_MAX, ERR_NOMEM. */
int swpr_numbers_add(struct swpr_numbers *n, uint32_t number);
void swpr_numbers_sort(struct swpr_numbers *n); /* each is there once afterwards */
bool swpr_numbers_has(const struct swpr_numbers *n, uint32_t number);
/* Those of `a` that `b` has not, sorted, added to `ret`, which is empty before. */
int swpr_numbers_without(
    const struct swpr_numbers *a, const struct swpr_numbers *b, struct swpr_numbers *ret);

/* Append the text. */
void swpr_numbers_format(const struct swpr_numbers *n, struct buf *out);
/*
 * Read such a text: numbers 1..2^31-1, ascending.  ERR_PROTO for anything else; then
 * `ret`, empty before, is empty.
 */
int swpr_numbers_parse(const char *text, struct swpr_numbers *ret);
