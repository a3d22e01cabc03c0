/* accept.c - reading the Accept field. */
#include "fcgi/accept.h"

#include <string.h>
#include <strings.h>

static struct slice
trim(struct slice s)
{
	while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
		s = (struct slice){ s.ptr + 1, s.len - 1 };
	while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
		s.len--;
	return s;
}

/* Cut the part up to `separator` off the front. */
static struct slice
cut(struct slice *s, char separator)
{
	const char *end = s->len > 0 ? memchr(s->ptr, separator, s->len) : NULL;
	struct slice part = { s->ptr, end != NULL ? (size_t)(end - s->ptr) : s->len };

	*s = end != NULL ? (struct slice){ end + 1, s->len - part.len - 1 }
			 : (struct slice){ s->ptr + s->len, 0 };
	return trim(part);
}

static bool
is_word(struct slice s, const char *word)
{
	return s.len == strlen(word) && strncasecmp(s.ptr, word, s.len) == 0;
}

/* "0.5" in thousandths; -1 for what is no quality value. */
static int
quality(struct slice s)
{
	int value = 0, unit = 1000;

	if (s.len == 0 || s.len > 5 || (s.len > 1 && s.ptr[1] != '.'))
		return -1;
	for (size_t i = 0; i < s.len; i++) {
		if (i == 1)
			continue;
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return -1;
		value += (s.ptr[i] - '0') * unit;
		unit /= 10;
	}
	return value <= 1000 ? value : -1;
}

static bool
format_of_type(struct slice type, enum format *ret)
{
	static const struct {
		const char *type;
		enum format format;
	} types[] = { { "application/json", FORMAT_JSON }, { "text/csv", FORMAT_CSV },
		{ "application/x-ndjson", FORMAT_NDJSON },
		{ "application/ndjson", FORMAT_NDJSON }, { "application/jsonl", FORMAT_NDJSON },
		{ "*/*", FORMAT_JSON }, { "application/*", FORMAT_JSON } };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (is_word(type, types[i].type)) {
			*ret = types[i].format;
			return true;
		}
	}
	return false;
}

enum format
accept_format(struct slice accept)
{
	enum format best = FORMAT_JSON, f = FORMAT_JSON;
	int best_q = 0;

	while (accept.len > 0) {
		struct slice range = cut(&accept, ',');
		bool known = format_of_type(cut(&range, ';'), &f);
		int q = 1000;

		while (range.len > 0) {
			struct slice param = cut(&range, ';');

			if (is_word(cut(&param, '='), "q"))
				q = quality(trim(param));
		}
		if (known && q > best_q) {
			best = f;
			best_q = q;
		}
	}
	return best;
}

bool
format_of_word(struct slice word, enum format *ret)
{
	static const char *const words[] = { "json", "csv", "ndjson" };

	for (int f = FORMAT_JSON; f <= FORMAT_NDJSON; f++) {
		if (slice_is(word, words[f])) {
			*ret = (enum format)f;
			return true;
		}
	}
	return false;
}
