/* json_text.c - escaping copies runs of plain bytes and stops only at odd ones. */
#include "base/json_text.h"

#include <limits.h>
#include <locale.h>
#include <pthread.h>
#include <wchar.h>
#include <wctype.h>

size_t
utf8_char_len(struct slice text)
{
	const unsigned char *p = (const unsigned char *)text.ptr;
	size_t want;
	unsigned char low = 0x80, high = 0xbf;

	if (text.len == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	want = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (text.len < want)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0; /* overlong */
	else if (p[0] == 0xed)
		high = 0x9f; /* surrogate */
	else if (p[0] == 0xf0)
		low = 0x90; /* overlong */
	else if (p[0] == 0xf4)
		high = 0x8f; /* past U+10FFFF */
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < want; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	return want;
}

static void
escape_control(struct buf *b, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char short_form[] = "btn\0fr"; /* U+0008 to U+000D */
	char out[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };

	if (c == '"' || c == '\\') {
		out[1] = (char)c;
		buf_add(b, out, 2);
	} else if (c >= 8 && c <= 13 && c != 11) {
		out[1] = short_form[c - 8];
		buf_add(b, out, 2);
	} else {
		buf_add(b, out, 6);
	}
}

void
json_text_escape(struct buf *b, struct slice text)
{
	size_t start = 0, i = 0;

	while (i < text.len) {
		unsigned char c = (unsigned char)text.ptr[i];
		size_t n = 1;

		if (c >= 0x80)
			n = utf8_char_len((struct slice){ text.ptr + i, text.len - i });
		if (n > 0 && c >= 0x20 && c != '"' && c != '\\') {
			i += n;
			continue;
		}
		buf_add(b, text.ptr + start, i - start);
		if (n == 0)
			buf_str(b, "\xef\xbf\xbd");
		else
			escape_control(b, c);
		start = ++i;
	}
	if (start < text.len)
		buf_add(b, text.ptr + start, text.len - start);
}

void
json_text_quote(struct buf *b, struct slice text)
{
	buf_char(b, '"');
	json_text_escape(b, text);
	buf_char(b, '"');
}

static int
hex4(const char *p, uint32_t *ret)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++) {
		char c = p[i];

		v <<= 4;
		if (c >= '0' && c <= '9')
			v |= (uint32_t)(c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			v |= (uint32_t)((c | 32) - 'a' + 10);
		else
			return ERR_CORRUPT;
	}
	*ret = v;
	return 0;
}

static void
add_utf8(struct buf *b, uint32_t c)
{
	char out[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(lead[n] | c);
	buf_add(b, out, n);
}

/* Decode the \u escape at `s` (after the backslash); *ret_len is what it used. */
static int
unescape_u(struct buf *b, struct slice s, size_t *ret_len)
{
	uint32_t c, low;

	if (s.len < 5 || hex4(s.ptr + 1, &c) != 0)
		return ERR_CORRUPT;
	*ret_len = 5;
	if (c >= 0xdc00 && c <= 0xdfff)
		return ERR_CORRUPT;
	if (c >= 0xd800 && c <= 0xdbff) {
		if (s.len < 11 || s.ptr[5] != '\\' || s.ptr[6] != 'u' ||
		    hex4(s.ptr + 7, &low) != 0 || low < 0xdc00 || low > 0xdfff)
			return ERR_CORRUPT;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		*ret_len = 11;
	}
	add_utf8(b, c);
	return 0;
}

static int
unescape_one(struct buf *b, struct slice s, size_t *ret_len)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	const char *hit;

	if (s.len == 0)
		return ERR_CORRUPT;
	if (s.ptr[0] == 'u')
		return unescape_u(b, s, ret_len);
	hit = memchr(from, s.ptr[0], sizeof(from) - 1);
	if (hit == NULL)
		return ERR_CORRUPT;
	buf_char(b, to[hit - from]);
	*ret_len = 1;
	return 0;
}

/* May these bytes stand in a JSON text as they are? */
static bool
is_plain(struct slice text)
{
	size_t n;

	for (size_t i = 0; i < text.len; i += n) {
		n = utf8_char_len((struct slice){ text.ptr + i, text.len - i });
		if (n == 0 || (unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == '"')
			return false;
	}
	return true;
}

int
json_text_unescape(struct buf *b, struct slice escaped)
{
	size_t i = 0;

	while (i < escaped.len) {
		const char *p = escaped.ptr + i;
		const char *hit = memchr(p, '\\', escaped.len - i);
		size_t plain = hit == NULL ? escaped.len - i : (size_t)(hit - p), used = 0;

		if (!is_plain((struct slice){ p, plain }))
			return ERR_CORRUPT;
		buf_add(b, p, plain);
		i += plain;
		if (hit == NULL)
			break;
		i++;
		if (unescape_one(
			b, (struct slice){ escaped.ptr + i, escaped.len - i }, &used) != 0)
			return ERR_CORRUPT;
		i += used;
	}
	return buf_err(b);
}

static locale_t utf8_locale;

static void
open_locale(void)
{
	utf8_locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

/* One character that is not ASCII; `len` bytes of valid UTF-8. */
static void
lower_wide(struct buf *b, const char *p, size_t len)
{
	char out[MB_LEN_MAX];
	mbstate_t in_state = { 0 }, out_state = { 0 };
	wchar_t wide;
	size_t n = mbrtowc(&wide, p, len, &in_state);

	if (n == len)
		n = wcrtomb(out, (wchar_t)towlower((wint_t)wide), &out_state);
	if (n == (size_t)-1 || n == (size_t)-2 || n == 0)
		buf_add(b, p, len);
	else
		buf_add(b, out, n);
}

void
utf8_lower(struct buf *b, struct slice text)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	locale_t before;

	pthread_once(&once, open_locale);
	before = utf8_locale != (locale_t)0 ? uselocale(utf8_locale) : (locale_t)0;
	for (size_t i = 0; i < text.len;) {
		unsigned char c = (unsigned char)text.ptr[i];
		size_t n = utf8_char_len((struct slice){ text.ptr + i, text.len - i });

		if (n < 2)
			buf_char(b, c >= 'A' && c <= 'Z' ? (char)(c + 32) : (char)c);
		else
			lower_wide(b, text.ptr + i, n);
		i += n > 0 ? n : 1;
	}
	if (before != (locale_t)0)
		uselocale(before);
}
