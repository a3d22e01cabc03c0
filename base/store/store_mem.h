/*
 * store_mem.h - a store in memory, for tests: it counts and watches operations,
 * fails on command, and its clock is a number.
 */
#pragma once

#include "base/store/store.h"

enum store_op {
	STORE_OP_LIST,
	STORE_OP_STAT,
	STORE_OP_READ,
	STORE_OP_PUT,
	STORE_OP_DELETE,
	STORE_OP_LOCK,
	STORE_OP_COMPOSE,
	STORE_OP_COUNT,
};

enum store_fault {
	STORE_FAULT_NONE,
	STORE_FAULT_BEFORE, /* nothing happens, the call fails */
	STORE_FAULT_AFTER,  /* it happens, yet the call fails: a lost answer */
};

/* An empty store.  Without `with_locks` it behaves as a bucket: no locks, but compose. */
int store_mem_new(bool with_locks, struct store **ret);

/* Set the clock that dates objects; it starts at 0 and never moves by itself. */
void store_mem_set_time(struct store *s, int64_t now_ms);

/*
 * After `pass` more operations fail one with `code`; STORE_FAULT_NONE turns it off.
 * Every kind of operation counts, unlocking does not.
 */
void store_mem_fail(struct store *s, size_t pass, enum store_fault fault, int code);
size_t store_mem_op_count(const struct store *s); /* operations begun so far */

/*
 * Call `fn` before every operation.  It may itself use the store (its own calls
 * are not watched), which is how a test puts a rival between any two steps.
 */
typedef void (*store_mem_hook_fn)(void *ctx, enum store_op op, const char *name);
void store_mem_hook(struct store *s, store_mem_hook_fn fn, void *ctx);

/* Change stored bytes in place, without a new generation: a damaged disk. */
int store_mem_damage(struct store *s, const char *name, size_t offset, unsigned char xor);
