/*
 * mlog_mutation.h - a record's payload as a protobuf message and back.
 *
 * Messages are Maintpb__* of mutation.proto.  Fields that the schema does not know
 * are kept in base.unknown_fields and packed again.  Texts are C strings: one that
 * holds a NUL byte (GitHub has none) is seen only up to it.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "mutation-log/mutation.pb-c.h"

/* A cap for the arena of one record: hostile bytes unpack to at most this. */
#define MLOG_UNPACK_MAX ((size_t)512 << 20)

/*
 * Decode a payload.  The message lives in `a` until that is reset or cleared: there
 * is nothing to free, and protobuf-c's free functions must not see it.
 * ERR_CORRUPT, or ERR_NOMEM (no memory, or past the arena's cap).
 */
int mlog_mutation_unpack(
    struct slice payload, struct arena *a, Maintpb__Mutation **ret, struct err_info *ei);

/* Append the encoded message: fields in ascending order, defaults left out, as Go does. */
int mlog_mutation_pack(const Maintpb__Mutation *m, struct buf *into);
