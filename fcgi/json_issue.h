/*
 * json_issue.h - an issue as JSON, gathered from slices of the memory map.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "fcgi/fields.h"

/*
 * Append {"name":...} with the given fields, of each what `paths` picks.  The arena is used only where comments
 * or reviews must be sorted.  ERR_CORRUPT, ERR_NOMEM; errors of `out` are latched.
 */
int json_issue_picked(struct snap_view *v, const struct snap_issue *i, uint64_t fields,
    const struct field_paths *paths, struct arena *a, struct buf *out);
/* The same with every field whole. */
int json_issue(struct snap_view *v, const struct snap_issue *i, uint64_t fields,
    struct arena *a, struct buf *out);
