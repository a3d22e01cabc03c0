/*
 * json_pick.h - of a value that was rendered, the members that a field mask picks.
 */
#pragma once

#include "base/buf.h"
#include "fcgi/fields.h"

/*
 * `out` ends with a value of field `f`, from byte `from` on: take out of it, in place, every
 * member that is not among `paths` (bits for field_path()).  Lists are picked element by
 * element; null stays.  ERR_CORRUPT for what is no JSON as we render it.
 */
int json_pick(struct buf *out, size_t from, unsigned f, uint64_t paths);
