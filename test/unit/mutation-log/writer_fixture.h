/* writer_fixture.h - a store, a clock that stands still, and short ways to a writer. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/wait.h>

#include "base/mem.h"
#include "base/store/fault.h"
#include "mutation-log/mlog_writer.h"
#include "test/unit/base/store/tmp_dir.h"
#include "test/unit/mutation-log/log_maker.h"

#define START ((struct mlog_pos){ 0, 0 })
#define MINUTE_MS (INT64_C(60) * 1000)

/* Time that passes only when somebody sleeps. */
struct fake_clock {
	int64_t now_ms;
	int sleeps;
	int cancel_at;           /* the sleep that is given up; 0 = none */
	void (*meanwhile)(void); /* what happens during a sleep */
};

static struct fake_clock fake;

__attribute__((unused)) static int64_t
fake_now(void *ctx)
{
	return ((struct fake_clock *)ctx)->now_ms;
}

__attribute__((unused)) static int
fake_sleep(void *ctx, int64_t ms)
{
	struct fake_clock *c = ctx;

	c->now_ms += ms;
	c->sleeps++;
	if (c->meanwhile != NULL)
		c->meanwhile();
	return c->sleeps == c->cancel_at;
}

__attribute__((unused)) static struct mlog_writer_opts opts = {
	.mono_ms = fake_now, .real_ms = fake_now, .sleep_ms = fake_sleep, .ctx = &fake
};

static struct store *shared;

__attribute__((unused)) static int
set_up(void **state)
{
	int rc = store_mem_new(false, &shared);

	fake = (struct fake_clock){ .now_ms = 1000 * MINUTE_MS };
	store_mem_set_time(shared, fake.now_ms);
	*state = shared;
	return rc;
}

__attribute__((unused)) static int
tear_down(void **state)
{
	store_close(*state);
	return 0;
}

__attribute__((unused)) static struct mlog_writer *
open_as(struct store *s, const char *holder)
{
	struct mlog_writer *w = NULL;
	struct err_info ei = { 0 };
	int rc = mlog_writer_open(s, MADE_PREFIX, holder, &opts, &w, &ei);

	if (rc != 0)
		fail_msg("open as %s: %s: %s", holder, err_name(rc), ei.text);
	return w;
}

__attribute__((unused)) static int
append_at(struct mlog_writer *w, struct mlog_pos at, const char *payload)
{
	struct buf b;
	int rc;

	buf_init(&b, 1 << 20);
	mlog_record_append(&b, at.offset, slice_str(payload));
	rc = buf_err(&b);
	if (rc == 0)
		rc = mlog_writer_append(w, at, buf_view(&b), NULL);
	buf_clear(&b);
	return rc;
}

/* Append where mlog_place() says. */
__attribute__((unused)) static void
append(struct mlog_writer *w, const char *payload)
{
	struct mlog_pos at, end;

	assert_int_equal(mlog_place(mlog_writer_end(w), strlen(payload), &at, &end), 0);
	assert_int_equal(append_at(w, at, payload), 0);
	assert_int_equal(mlog_pos_cmp(mlog_writer_end(w), end), 0);
}

__attribute__((unused)) static void
flush(struct mlog_writer *w)
{
	struct err_info ei = { 0 };

	assert_int_equal(mlog_writer_flush(w, &ei), 0);
}

__attribute__((unused)) static void
assert_log(struct store *s, const char *want)
{
	struct err_info ei = { 0 };
	struct buf got;

	buf_init(&got, 64 << 20);
	assert_int_equal(made_read(s, MADE_PREFIX, START, &got, &ei), ERR_NOENT);
	assert_string_equal(buf_cstr(&got), want);
	buf_clear(&got);
}

__attribute__((unused)) static size_t
count_segments(struct store *s)
{
	struct store_list l = { 0 };
	size_t count = 0;

	assert_int_equal(store_list(s, MADE_PREFIX, &l, NULL), 0);
	for (size_t i = 0; i < l.count; i++)
		count += strstr(l.items[i].name, ".mutlog") != NULL;
	store_list_clear(&l);
	return count;
}

__attribute__((unused)) static void
load_fence(struct store *s, struct mlog_fence *ret)
{
	int64_t generation;

	assert_int_equal(mlog_fence_load(s, MADE_PREFIX, ret, &generation, NULL), 0);
}
