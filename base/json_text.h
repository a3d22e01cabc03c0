/*
 * json_text.h - strings as they stand in JSON (RFC 8259 section 7).
 *
 * Escaped are the quotation mark, the backslash and controls below U+0020;
 * everything else stays as UTF-8.  Bytes that are not UTF-8 (RFC 3629)
 * become U+FFFD, one per byte, so that the result is always valid.
 */
#pragma once

#include "base/buf.h"

/* Append `text` escaped, without quotation marks. */
void json_text_escape(struct buf *b, struct slice text);

/* Append `text` escaped, between quotation marks. */
void json_text_quote(struct buf *b, struct slice text);

/*
 * Append the bytes that an escaped text (no quotation marks) stands for.
 * ERR_CORRUPT if it is not a valid escaped text; `b` may then hold a part.
 */
int json_text_unescape(struct buf *b, struct slice escaped);

/*
 * Append `text` in lower case, letter by letter as Unicode has it; bytes that are not
 * UTF-8 stay as they are.
 */
void utf8_lower(struct buf *b, struct slice text);

/* Bytes of the valid UTF-8 character at the start of `text`, 0 if none is. */
size_t utf8_char_len(struct slice text);
