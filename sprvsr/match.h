/* match.h - is everything that is wanted there?  What else is there does not matter. */
#pragma once

#include "base/json.h"

/*
 * True if `have` holds every field of `want` with that value: what applying `want` would
 * not change.  Lists of named things (containers, ports, volumes, ...) are compared by
 * name, others element by element; quantities by their amount; a selector and a volume's
 * items, which an apply replaces whole, must hold nothing else.
 */
bool match_subset(const json_t *want, const json_t *have);

/* "512Mi" as a number; false if it is no quantity. */
bool match_quantity(const char *text, double *ret);
