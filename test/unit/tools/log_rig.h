/* log_rig.h - logs in memory for the tests of tools that copy or delete them. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/store/store_mem.h"
#include "mutation-log/mlog_fence.h"

#define PREFIX "acme/gears/"
#define WRITER PREFIX MLOG_WRITER_NAME
#define SEGMENTS 3

static inline void
put_segment(struct store *s, uint32_t number, const char *text, struct mlog_segment *ret)
{
	char name[MLOG_NAME_SIZE], path[STORE_NAME_MAX + 1];

	*ret = (struct mlog_segment){ .number = number, .size = strlen(text) };
	assert_int_equal(sha224_hex(slice_str(text), ret->sha224), 0);
	mlog_segment_name(number, ret->sha224, name);
	snprintf(path, sizeof(path), PREFIX "%s", name);
	assert_int_equal(store_put(s, path, slice_str(text), STORE_ANY, NULL, NULL), 0);
}

static inline void
put_writer(struct store *s, const char *holder, bool released, const struct mlog_segment *tail)
{
	char copy[64];
	struct mlog_fence f = { .epoch = 1,
		.holder = copy,
		.released = released,
		.lease_s = MLOG_LEASE_S,
		.has_tail = tail != NULL };
	struct buf text;

	snprintf(copy, sizeof(copy), "%s", holder);
	if (tail != NULL)
		f.tail = *tail;
	buf_init(&text, MLOG_WRITER_MAX_BYTES);
	assert_int_equal(mlog_fence_print(&f, &text), 0);
	assert_int_equal(store_put(s, WRITER, buf_view(&text), STORE_ANY, NULL, NULL), 0);
	buf_clear(&text);
}

/* A log of three segments that nobody holds. */
static inline struct store *
make_log(bool with_locks)
{
	struct mlog_segment tail;
	struct store *s = NULL;

	assert_int_equal(store_mem_new(with_locks, &s), 0);
	for (uint32_t i = 0; i < SEGMENTS; i++) {
		char text[16];

		snprintf(text, sizeof(text), "segment %u", (unsigned)i);
		put_segment(s, i, text, &tail);
	}
	put_writer(s, "pod", true, &tail);
	return s;
}

static inline size_t
objects_in(struct store *s)
{
	struct store_list l = { 0 };
	size_t count;

	assert_int_equal(store_list(s, PREFIX, &l, NULL), 0);
	count = l.count;
	store_list_clear(&l);
	return count;
}
