/*
 * json_child.h - what belongs to an issue or to a repository, as JSON: comments,
 * reviews, line comments, events, labels, milestones, users.
 */
#pragma once

#include "base/buf.h"
#include "lmdb-schema/snap_read.h"

/* Append the user with that id, or null for 0.  Errors of `out` are latched. */
int json_user(struct snap_view *v, int64_t id, struct buf *out);

/* Append {...}: the stored members, and the users joined.  ERR_CORRUPT. */
int json_child(struct snap_view *v, enum snap_child_kind kind, const struct snap_child *c,
    struct buf *out);

void json_label(const struct snap_label *l, struct buf *out);
int json_milestone(struct snap_view *v, const struct snap_milestone *m, struct buf *out);

/* Append a time as a JSON text, or null for TIME_NONE. */
void json_time(int64_t ms, struct buf *out);
