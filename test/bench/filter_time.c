/*
 * filter_time - what requests with a filter cost a responder, in its own process and
 * without a web server.  Prints, for each filter, the median CPU time in milliseconds
 * and the total that was answered, as a JSON object.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"
#include "fcgi/responder.h"
#include "test/bench/usage.h"

#define ROUNDS_MAX 1000
#define ISSUES "/api/v1/bench/made/issues?pageSize=100&fieldMask=issueId"

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
add_encoded(struct buf *b, const char *text)
{
	for (; *text != '\0'; text++)
		buf_fmt(b, "%%%02x", (unsigned)(unsigned char)*text);
}

/* Ask once; the total that is answered. */
static long long
ask(struct responder *r, const char *uri)
{
	const struct request_pair params[] = { { "REQUEST_METHOD", "GET" },
		{ "REQUEST_URI", uri }, { NULL, NULL } };
	const char *total, *text;
	long long n;
	struct buf out;

	buf_init(&out, (size_t)64 << 20);
	if (request_serve_mem(params, SLICE(""), NULL, responder_handle, r, &out) != 0)
		exit(1);
	text = buf_cstr(&out);
	total = strstr(text, "\"total\":");
	if (strncmp(text, "Status: 200", 11) != 0 || total == NULL) {
		fprintf(stderr, "filter_time: %s\n%s\n", uri, text);
		exit(1);
	}
	n = strtoll(total + 8, NULL, 10);
	buf_clear(&out);
	return n;
}

static void
measure(struct responder *r, const char *filter, int rounds, const char *between)
{
	static double ms[ROUNDS_MAX];
	struct buf uri, quoted;
	long long total = 0;

	buf_init(&uri, (size_t)1 << 20);
	buf_str(&uri, ISSUES);
	if (filter[0] != '\0')
		buf_str(&uri, "&filter=");
	add_encoded(&uri, filter);
	for (int i = 0; i < rounds; i++) {
		struct usage before = usage_now();

		total = ask(r, buf_cstr(&uri));
		ms[i] = usage_since(before).cpu_s * 1e3;
	}
	qsort(ms, (size_t)rounds, sizeof(*ms), compare);
	buf_init(&quoted, (size_t)1 << 20);
	json_text_quote(&quoted, slice_str(filter));
	printf("%s%s:{\"cpu_ms\":%.3f,\"least_ms\":%.3f,\"total\":%lld}", between,
	    buf_cstr(&quoted), ms[rounds / 2], ms[0], total);
	buf_clear(&quoted);
	buf_clear(&uri);
}

int
main(int argc, char **argv)
{
	int rounds = argc > 3 ? atoi(argv[2]) : 0;
	struct responder r;

	if (rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: filter_time SNAPSHOT ROUNDS FILTER ...\n");
		return 2;
	}
	responder_init(&r, argv[1]);
	r.cache_bytes = 0; /* every round does the work */
	for (int i = 3; i < argc; i++)
		measure(&r, argv[i], rounds, i == 3 ? "{" : ",");
	printf("}\n");
	responder_clear(&r);
	return 0;
}
