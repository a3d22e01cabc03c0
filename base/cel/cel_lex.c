/* cel_lex.c - tokens of an expression, and where in it an error is. */
#include <stdarg.h>
#include <stdio.h>

#include "base/cel/cel_internal.h"
#include "base/json_text.h"

/* Line and column of a byte, both from 1; a column is a code point. */
static void
find_place(struct slice text, uint32_t at, unsigned *ret_line, unsigned *ret_column)
{
	unsigned line = 1, column = 1;

	for (size_t i = 0; i < at && i < text.len; i++) {
		if (text.ptr[i] == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)text.ptr[i] & 0xc0) != 0x80) {
			column++;
		}
	}
	*ret_line = line;
	*ret_column = column;
}

int
cel_fail(struct slice text, uint32_t at, int code, struct err_info *ei, const char *fmt, ...)
{
	unsigned line, column;
	char why[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	find_place(text, at, &line, &column);
	return err_set(ei, code, "line %u, column %u: %s", line, column, why);
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char
peek(const struct cel_lexer *lx, size_t at)
{
	return at < lx->text.len ? lx->text.ptr[at] : '\0';
}

/* Behind white space and comments. */
static size_t
skip_blank(const struct cel_lexer *lx, size_t at)
{
	while (at < lx->text.len) {
		char c = lx->text.ptr[at];

		if (c == '/' && peek(lx, at + 1) == '/') {
			while (at < lx->text.len && lx->text.ptr[at] != '\n')
				at++;
		} else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
			at++;
		} else {
			break;
		}
	}
	return at;
}

struct slice
cel_token_text(const struct cel_lexer *lx)
{
	return (struct slice){ lx->text.ptr + lx->tok.at, lx->tok.end - lx->tok.at };
}

/* r, b and both in either order before quotes, in either case. */
static bool
text_prefix(const struct cel_lexer *lx, size_t at, size_t *ret_quotes, bool *raw, bool *bytes)
{
	*raw = *bytes = false;
	for (int i = 0; i < 3; i++, at++) {
		char c = peek(lx, at);

		if (c == '"' || c == '\'') {
			*ret_quotes = at;
			return true;
		}
		if ((c == 'r' || c == 'R') && !*raw)
			*raw = true;
		else if ((c == 'b' || c == 'B') && !*bytes)
			*bytes = true;
		else
			return false;
	}
	return false;
}

static int
lex_word(struct cel_lexer *lx)
{
	static const struct {
		const char *word;
		enum cel_token_kind kind;
	} words[] = { { "true", TOK_TRUE }, { "false", TOK_FALSE }, { "null", TOK_NULL },
		{ "in", TOK_IN } };
	size_t at = lx->tok.at;

	while (is_letter(peek(lx, at)) || is_digit(peek(lx, at)))
		at++;
	lx->tok.end = (uint32_t)at;
	lx->tok.kind = TOK_IDENT;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (slice_is(cel_token_text(lx), words[i].word))
			lx->tok.kind = words[i].kind;
	}
	return 0;
}

static int
lex_sign(struct cel_lexer *lx)
{
	static const struct {
		char signs[3];
		enum cel_token_kind kind;
	} pairs[] = { { "==", TOK_EQ }, { "!=", TOK_NE }, { "<=", TOK_LE }, { ">=", TOK_GE },
		{ "&&", TOK_AND }, { "||", TOK_OR } };
	char c = peek(lx, lx->tok.at), after = peek(lx, lx->tok.at + (size_t)1);
	struct slice rest = { lx->text.ptr + lx->tok.at, lx->text.len - lx->tok.at };
	size_t len;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (c == pairs[i].signs[0] && after == pairs[i].signs[1]) {
			lx->tok.kind = pairs[i].kind;
			lx->tok.end = lx->tok.at + 2;
			return 0;
		}
	}
	if (c != '\0' && strchr("()[]{}.,?:<>+-*/%!", c) != NULL) {
		lx->tok.kind = TOK_CHAR;
		lx->tok.sign = c;
		lx->tok.end = lx->tok.at + 1;
		return 0;
	}
	if (c == '=')
		return cel_fail(lx->text, lx->tok.at, ERR_INVAL, lx->ei,
		    "'=' is not an operator; equality is '=='");
	if (c == '&' || c == '|')
		return cel_fail(lx->text, lx->tok.at, ERR_INVAL, lx->ei,
		    "'%c' is not an operator; did you mean '%c%c'?", c, c, c);
	len = utf8_char_len(rest);
	if (len == 0)
		return cel_fail(lx->text, lx->tok.at, ERR_INVAL, lx->ei,
		    "byte 0x%02x is not UTF-8", (unsigned)(unsigned char)c);
	if (len == 1 && ((unsigned char)c < 0x20 || c == 0x7f))
		return cel_fail(lx->text, lx->tok.at, ERR_INVAL, lx->ei,
		    "unexpected control character 0x%02x", (unsigned)(unsigned char)c);
	return cel_fail(lx->text, lx->tok.at, ERR_INVAL, lx->ei, "unexpected character '%.*s'",
	    (int)len, rest.ptr);
}

int
cel_lex(struct cel_lexer *lx)
{
	size_t at = skip_blank(lx, lx->tok.end), quotes;
	bool raw, bytes;
	char c = peek(lx, at);

	lx->tok = (struct cel_token){ .at = (uint32_t)at, .end = (uint32_t)at };
	if (at >= lx->text.len)
		return 0; /* TOK_END */
	if (text_prefix(lx, at, &quotes, &raw, &bytes))
		return cel_lex_text(lx, quotes, raw, bytes);
	if (is_letter(c))
		return lex_word(lx);
	if (is_digit(c) || (c == '.' && is_digit(peek(lx, at + 1))))
		return cel_lex_number(lx);
	return lex_sign(lx);
}
