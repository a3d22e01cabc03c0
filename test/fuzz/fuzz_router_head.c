/*
 * fuzz_router_head.c - a backend's answer, cut in two: the judgement does not depend on
 * the cut, and what is passed on is a header that holds no more lines than it had.
 */
#include <stdlib.h>

#include "router/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
count_lines(struct slice s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.ptr[i] == '\n';
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	struct head h, again;
	struct buf out;

	if (head_check(text, &h) != 1)
		return 0;
	if (h.bytes > size || h.bytes > HEAD_MAX || h.status < 200 || h.status > 599 ||
	    h.length < -1)
		abort();
	if (h.bytes > 1 && head_check((struct slice){ text.ptr, h.bytes - 1 }, &again) != 0)
		abort();
	buf_init(&out, 2 * HEAD_MAX);
	head_copy(&out, (struct slice){ text.ptr, h.bytes }, "id");
	if (buf_err(&out) != 0 || head_check(buf_view(&out), &again) != 1 ||
	    again.status != h.status || again.length != h.length || again.bytes != out.len ||
	    count_lines(buf_view(&out)) > count_lines((struct slice){ text.ptr, h.bytes }) + 1)
		abort();
	buf_clear(&out);
	return 0;
}
