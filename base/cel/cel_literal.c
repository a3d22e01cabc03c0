/* cel_literal.c - numbers, texts and bytes as they are written in an expression. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cel/cel_internal.h"
#include "base/json_text.h"

#define NUMBER_MAX 400 /* characters of a number */

/* --- numbers --- */

static size_t
skip_digits(struct slice s, size_t at)
{
	while (at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9')
		at++;
	return at;
}

static size_t
skip_hex(struct slice s, size_t at)
{
	while (at < s.len && s.ptr[at] != '\0' &&
	       strchr("0123456789abcdefABCDEF", s.ptr[at]) != NULL)
		at++;
	return at;
}

static char
at_or_nul(struct slice s, size_t at)
{
	return at < s.len ? s.ptr[at] : '\0';
}

/* The end of a fraction and exponent behind the digits that end at `at`. */
static size_t
skip_fraction(struct slice s, size_t at)
{
	size_t digits;

	if (at_or_nul(s, at) == '.' && skip_digits(s, at + 1) > at + 1)
		at = skip_digits(s, at + 1);
	if (at_or_nul(s, at) != 'e' && at_or_nul(s, at) != 'E')
		return at;
	digits = at + 1;
	if (at_or_nul(s, digits) == '+' || at_or_nul(s, digits) == '-')
		digits++;
	return skip_digits(s, digits) > digits ? skip_digits(s, digits) : at;
}

static int
set_integer(struct cel_lexer *lx, const char *text, int base, bool is_unsigned)
{
	uint64_t limit = lx->negative ? (uint64_t)1 << 63 : (uint64_t)INT64_MAX;
	uint64_t u;

	errno = 0;
	u = strtoull(text, NULL, base);
	if (errno != 0 || (!is_unsigned && u > limit))
		return cel_fail(lx->text, lx->tok.at, ERR_INVAL, lx->ei,
		    "%.40s is too large for %s", text, is_unsigned ? "a uint" : "an int");
	if (is_unsigned)
		lx->tok.value = (struct cel_value){ .kind = CEL_UINT, .as.u = u };
	else if (lx->negative)
		lx->tok.value = cel_int((int64_t)(0 - u));
	else
		lx->tok.value = cel_int((int64_t)u);
	return 0;
}

static int
set_double(struct cel_lexer *lx, const char *text)
{
	double d = strtod(text, NULL);

	if (isinf(d))
		return cel_fail(lx->text, lx->tok.at, ERR_INVAL, lx->ei,
		    "%.40s is too large for a double", text);
	lx->tok.value = (struct cel_value){ .kind = CEL_DOUBLE, .as.d = lx->negative ? -d : d };
	return 0;
}

int
cel_lex_number(struct cel_lexer *lx)
{
	struct slice s = lx->text;
	size_t start = lx->tok.at, at = start, end;
	char text[NUMBER_MAX];
	bool hex = at_or_nul(s, at) == '0' && (at_or_nul(s, at + 1) | 32) == 'x';
	bool fraction, suffix;

	at = hex ? skip_hex(s, at + 2) : skip_digits(s, at);
	end = hex ? at : skip_fraction(s, at);
	fraction = end != at;
	suffix = !fraction && (at_or_nul(s, end) | 32) == 'u';
	if (end - start >= sizeof(text))
		return cel_fail(lx->text, lx->tok.at, ERR_LIMIT, lx->ei,
		    "a number of more than %d characters", NUMBER_MAX);
	if (hex && at == start + 2)
		return cel_fail(lx->text, lx->tok.at, ERR_INVAL, lx->ei,
		    "expected hexadecimal digits after 0x");
	memcpy(text, s.ptr + start, end - start);
	text[end - start] = '\0';
	lx->tok.kind = TOK_LITERAL;
	lx->tok.end = (uint32_t)(end + suffix);
	if (lx->tok.end < s.len &&
	    (s.ptr[lx->tok.end] == '_' ||
		((s.ptr[lx->tok.end] | 32) >= 'a' && (s.ptr[lx->tok.end] | 32) <= 'z')))
		return cel_fail(lx->text, lx->tok.end, ERR_INVAL, lx->ei,
		    "unexpected '%c' behind the number %.40s", s.ptr[lx->tok.end], text);
	return fraction ? set_double(lx, text) : set_integer(lx, text, hex ? 16 : 10, suffix);
}

/* --- texts --- */

struct text_reader {
	struct cel_lexer *lx;
	size_t at; /* where the next character is */
	bool bytes;
	char *out;
	size_t len;
};

static void
put_utf8(struct text_reader *r, uint32_t c)
{
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		r->out[r->len + i] = (char)(0x80 | (c & 0x3f));
	r->out[r->len] = (char)(lead[n] | c);
	r->len += n;
}

/* `count` digits of `base` at r->at. */
static int
take_code(struct text_reader *r, size_t count, unsigned base, uint32_t *ret)
{
	static const char digits[] = "0123456789abcdef";
	uint32_t c = 0;

	for (size_t i = 0; i < count; i++) {
		char d = at_or_nul(r->lx->text, r->at + i);
		const char *hit =
		    d == '\0' ? NULL : strchr(digits, d >= 'A' && d <= 'F' ? d + 32 : d);

		if (hit == NULL || (unsigned)(hit - digits) >= base)
			return cel_fail(r->lx->text, (uint32_t)(r->at + i), ERR_INVAL,
			    r->lx->ei, "expected %zu %s digits in this escape", count,
			    base == 8 ? "octal" : "hexadecimal");
		c = c * base + (uint32_t)(hit - digits);
	}
	r->at += count;
	*ret = c;
	return 0;
}

static int
take_numbered(struct text_reader *r, char kind, size_t began)
{
	bool octal = kind >= '0' && kind <= '3', wide = kind == 'u' || kind == 'U';
	size_t count = octal ? 3 : kind == 'u' ? 4 : kind == 'U' ? 8 : 2;
	uint32_t c = 0;
	int rc;

	if (octal)
		r->at--;
	if (wide && r->bytes)
		return cel_fail(r->lx->text, (uint32_t)began, ERR_INVAL, r->lx->ei,
		    "\\%c is not an escape of bytes", kind);
	rc = take_code(r, count, octal ? 8 : 16, &c);
	if (rc != 0)
		return rc;
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return cel_fail(r->lx->text, (uint32_t)began, ERR_INVAL, r->lx->ei,
		    "U+%04X is not a character", (unsigned)c);
	if (r->bytes)
		r->out[r->len++] = (char)(unsigned char)c;
	else
		put_utf8(r, c);
	return 0;
}

static int
take_escape(struct text_reader *r)
{
	static const char from[] = "abfnrtv\\?\"'`";
	static const char to[] = "\a\b\f\n\r\t\v\\?\"'`";
	size_t began = r->at++;
	char c = at_or_nul(r->lx->text, r->at);
	const char *hit = c == '\0' ? NULL : strchr(from, c);

	r->at++;
	if (hit != NULL) {
		r->out[r->len++] = to[hit - from];
		return 0;
	}
	if (c != '\0' && strchr("0123xXuU", c) != NULL)
		return take_numbered(r, c, began);
	return cel_fail(r->lx->text, (uint32_t)began, ERR_INVAL, r->lx->ei,
	    "unknown escape; expected one of \\a \\b \\f \\n "
	    "\\r \\t \\v \\\\ \\? \\\" \\' \\` \\x \\u \\U or an "
	    "octal number");
}

/* One character as it stands. */
static int
take_plain(struct text_reader *r)
{
	struct slice rest = { r->lx->text.ptr + r->at, r->lx->text.len - r->at };
	size_t n = utf8_char_len(rest);

	if (n == 0)
		return cel_fail(r->lx->text, (uint32_t)r->at, ERR_INVAL, r->lx->ei,
		    "byte 0x%02x is not UTF-8", (unsigned)(unsigned char)*rest.ptr);
	memcpy(r->out + r->len, rest.ptr, n);
	r->len += n;
	r->at += n;
	return 0;
}

static bool
closes(const struct text_reader *r, char quote, bool triple)
{
	struct slice s = r->lx->text;

	return at_or_nul(s, r->at) == quote &&
	       (!triple ||
		   (at_or_nul(s, r->at + 1) == quote && at_or_nul(s, r->at + 2) == quote));
}

static int
take_text(struct text_reader *r, char quote, bool triple, bool raw)
{
	while (!closes(r, quote, triple)) {
		char c = at_or_nul(r->lx->text, r->at);
		int rc;

		if (r->at >= r->lx->text.len || (!triple && (c == '\n' || c == '\r')))
			return cel_fail(r->lx->text, r->lx->tok.at, ERR_INVAL, r->lx->ei,
			    "this text has no closing %s%c%s",
			    triple ? (quote == '"' ? "\"\"" : "''") : "", quote, "");
		rc = c == '\\' && !raw ? take_escape(r) : take_plain(r);
		if (rc != 0)
			return rc;
	}
	r->at += triple ? 3 : 1;
	return 0;
}

int
cel_lex_text(struct cel_lexer *lx, size_t at, bool raw, bool bytes)
{
	char quote = lx->text.ptr[at];
	bool triple =
	    at_or_nul(lx->text, at + 1) == quote && at_or_nul(lx->text, at + 2) == quote;
	struct text_reader r = { .lx = lx, .at = at + (triple ? 3 : 1), .bytes = bytes };
	int rc;

	r.out = lx->texts + lx->texts_len;
	rc = take_text(&r, quote, triple, raw);
	if (rc != 0)
		return rc;
	lx->tok.kind = TOK_LITERAL;
	lx->tok.end = (uint32_t)r.at;
	lx->tok.value = cel_string((struct slice){ r.out, r.len });
	lx->texts_len += r.len;
	if (bytes)
		lx->tok.value.kind = CEL_BYTES;
	return 0;
}
