/* made_text.c - words strung together; only lengths and odd bytes are meant to be lifelike. */
#include "test/bench/made_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define COUNT_MAX 200U /* nothing in a made log comes in larger numbers */

static const char *const words[] = { "the", "a", "when", "server", "returns", "an", "error",
	"after", "update", "this", "is", "not", "what", "I", "would", "expect", "request",
	"fails", "with", "timeout", "on", "client", "version", "and", "then", "it", "works",
	"again", "see", "also", "log", "below", "steps", "to", "reproduce", "run", "build",
	"test", "on", "Linux", "memory", "grows", "until", "process", "is", "killed", "please",
	"add", "support", "for", "the", "option", "documentation", "says", "otherwise",
	"default", "value", "should", "be", "configurable", "thanks", "for", "report", "I",
	"can", "confirm", "here", "LGTM", "fixed", "in", "main", "released", "as", "part", "of",
	"next", "milestone", "regression", "since", "storage", "library", "authentication",
	"credentials", "pagination", "iterator", "stream" };
static const char *const odd[] = { "\"quoted\"", "`code()`", "C:\\path\\to", "na\xc3\xafve",
	"\xe2\x9c\x93", "\xf0\x9f\x9a\x80", "\xe6\x97\xa5\xe6\x9c\xac", "@octo-dev", "#1234",
	"https://example.com/a/b?c=d&e=f", "\tindented", "v1.2.3-rc.4" };

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

uint64_t
made_next(struct made_rng *r)
{
	uint64_t z = (r->state += 0x9e3779b97f4a7c15U); /* Steele, Lea and Flood, 2014 */

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}

struct made_rng
made_rng(uint64_t seed, uint64_t a, uint64_t b)
{
	struct made_rng r = { seed };

	r.state = made_next(&r) ^ (a * 0xd1342543de82ef95U);
	r.state = made_next(&r) ^ (b * 0xaf251af3b0f025b5U);
	made_next(&r);
	return r;
}

uint32_t
made_below(struct made_rng *r, uint32_t limit)
{
	return (uint32_t)(((made_next(r) >> 32) * limit) >> 32);
}

/* In (0, 1]. */
static double
fraction(struct made_rng *r)
{
	return ((double)(made_next(r) >> 11) + 1.0) * 0x1.0p-53;
}

uint32_t
made_count(struct made_rng *r, double mean)
{
	double n = floor(log(fraction(r)) / log(mean / (mean + 1.0)));

	return n < COUNT_MAX ? (uint32_t)n : COUNT_MAX;
}

uint32_t
made_skewed(struct made_rng *r, uint32_t limit)
{
	double f = fraction(r);
	uint32_t n = (uint32_t)(f * f * f * limit);

	return n < limit ? n : limit - 1;
}

static const char *
pick_word(struct made_rng *r)
{
	if (made_below(r, 24) == 0)
		return odd[made_below(r, COUNT_OF(odd))];
	return words[made_below(r, COUNT_OF(words))];
}

static const char *
pick_gap(struct made_rng *r)
{
	uint32_t n = made_below(r, 64);

	return n == 0 ? "\r\n\r\n" : n < 4 ? "\n" : n < 7 ? ". " : n < 9 ? ", " : " ";
}

size_t
made_text(struct made_rng *r, double mean, char out[MADE_TEXT_MAX])
{
	double want = -log(fraction(r)) * mean + 4.0;
	size_t len = 0;

	while ((double)len < want) {
		const char *word = pick_word(r), *gap = pick_gap(r);
		size_t w = strlen(word), g = strlen(gap);

		if (len + w + g >= MADE_TEXT_MAX)
			break;
		memcpy(out + len, word, w);
		memcpy(out + len + w, gap, g);
		len += w + g;
	}
	out[len] = '\0';
	return len;
}

size_t
made_title(struct made_rng *r, unsigned count, char out[256])
{
	size_t len = 0;

	for (unsigned i = 0; i < count && len < 200; i++)
		len += (size_t)snprintf(
		    out + len, 256 - len, "%s%s", i > 0 ? " " : "", pick_word(r));
	return len;
}

void
made_commit(struct made_rng *r, char out[41])
{
	snprintf(out, 41, "%016llx%016llx%08x", (unsigned long long)made_next(r),
	    (unsigned long long)made_next(r), (unsigned)made_below(r, UINT32_MAX));
}
