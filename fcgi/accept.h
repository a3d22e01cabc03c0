/*
 * accept.h - which of the forms of a list a client prefers.
 */
#pragma once

#include <stdbool.h>

#include "base/bytes.h"

enum format {
	FORMAT_JSON,
	FORMAT_CSV,    /* RFC 4180 */
	FORMAT_NDJSON, /* one JSON object a line */
};

/*
 * Out of an Accept field (RFC 9110, 12.5.1): of the types given here, the one with the
 * highest q, of equals the first; ranges with an asterisk, no field, and what cannot be
 * read mean JSON.
 */
enum format accept_format(struct slice accept);

/* The value of the parameter `format`; false for an unknown word. */
bool format_of_word(struct slice word, enum format *ret);
