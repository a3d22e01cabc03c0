/*
 * mirror_rig.h - a log and a snapshot in a temporary directory, and a mirror over them.
 * Each issue is one commit with one record, so contents can be told in a short text.
 */
#pragma once

#include "sync/mirror.h"
#include "sync/mirror_internal.h"
#include "test/unit/lmdb-schema/snap_fixture.h"

struct mirror_rig {
	char dir[64], log[96], snapshot[96]; /* paths */
	struct mirror *m;
	char notes[1024]; /* what recovery said, a line each */
	uint64_t noted;   /* the largest count that came with a note */
};

int mr_setup(void **state);
int mr_teardown(void **state);

/* Open it; with `rebuild` from the log.  The code. */
int mr_open_as(struct mirror_rig *rig, const char *snapshot, bool rebuild, struct mirror **ret);
int mr_open(struct mirror_rig *rig);
void mr_close(struct mirror_rig *rig);

/* Commit issue `number` with that title. */
int mr_commit(struct mirror *m, uint32_t number, const char *title);
/* Commit and flush; must succeed. */
void mr_write(struct mirror_rig *rig, uint32_t number, const char *title);

/* "1=title 2=title ": the snapshot, or the log in the order of its records. */
const char *mr_snapshot(struct mirror *m);
const char *mr_log(struct mirror *m);

/* The snapshot is sound, and is what log and outbox make when they are replayed. */
void assert_in_step(struct mirror *m);

/* cp -r, rm -r, mv */
void mr_shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
