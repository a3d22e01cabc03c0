/* snap_fixture.h - a snapshot in a temporary directory, and short ways to fill it. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "lmdb-schema/snap_write.h"

#define FX_REPO "acme/widgets"

struct snap_fixture {
	char dir[64];
	struct snap_writer *writer;
	struct snap_issue_edit edit;
};

static inline int
fx_remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static inline void
fx_remove_dir(const char *dir)
{
	nftw(dir, fx_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void
fx_open(struct snap_fixture *fx)
{
	bool unclean = true;

	assert_int_equal(snap_writer_open(fx->dir, FX_REPO, 0, &fx->writer, &unclean, NULL), 0);
	assert_false(unclean);
}

static inline int
fx_setup(void **state)
{
	struct snap_fixture *fx = calloc(1, sizeof(*fx));

	strcpy(fx->dir, "/tmp/snap-test-XXXXXX");
	if (mkdtemp(fx->dir) == NULL)
		return -1;
	fx_open(fx);
	*state = fx;
	return 0;
}

static inline int
fx_teardown(void **state)
{
	struct snap_fixture *fx = *state;

	snap_writer_close(fx->writer);
	fx_remove_dir(fx->dir);
	free(fx);
	return 0;
}

static inline struct snap_txn *
fx_begin(struct snap_fixture *fx)
{
	struct snap_txn *t = NULL;

	assert_int_equal(snap_txn_begin(fx->writer, &t), 0);
	return t;
}

/* Load issue `number` for a change; end with fx_store(). */
static inline struct snap_issue_edit *
fx_edit(struct snap_fixture *fx, struct snap_txn *t, uint32_t number)
{
	assert_int_equal(snap_issue_edit_begin(t, number, &fx->edit), 0);
	fx->edit.flags |= SNAP_ISSUE_SEEN;
	return &fx->edit;
}

static inline void
fx_store(struct snap_fixture *fx, struct snap_txn *t)
{
	snap_issue_edit_end(t, &fx->edit);
	assert_int_equal(snap_txn_err(t), 0);
}

static inline struct snap_view *
fx_view(struct snap_fixture *fx)
{
	struct snap_view *v = NULL;

	assert_int_equal(snap_writer_view(fx->writer, &v), 0);
	return v;
}

static inline void
assert_slice_equal(struct slice got, const char *want)
{
	if (!slice_is(got, want))
		fail_msg("\"%.*s\" is not \"%s\"", (int)got.len, got.ptr, want);
}
