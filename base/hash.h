/*
 * hash.h - a 64-bit hash that tells texts apart and guards no secret: FNV-1a (Fowler,
 * Noll, Vo), with the mixing step that ends MurmurHash3, since FNV's high bits alone mix
 * badly.  The same on every machine, so it may stand in page tokens and validators.
 */
#pragma once

#include <stdint.h>

#include "base/bytes.h"

#define HASH64_START UINT64_C(0xcbf29ce484222325)

/* Go on from `hash`, at first HASH64_START; end with hash64_end(). */
static inline uint64_t
hash64_add(uint64_t hash, struct slice data)
{
	for (size_t i = 0; i < data.len; i++)
		hash = (hash ^ (unsigned char)data.ptr[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static inline uint64_t
hash64_end(uint64_t hash)
{
	hash = (hash ^ (hash >> 33)) * UINT64_C(0xff51afd7ed558ccd);
	hash = (hash ^ (hash >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
	return hash ^ (hash >> 33);
}

/* Of one piece. */
static inline uint64_t
hash64(struct slice data)
{
	return hash64_end(hash64_add(HASH64_START, data));
}
