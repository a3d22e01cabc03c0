/*
 * json.h - checked getters over jansson for JSON that others wrote.
 *
 * A `struct json_in` remembers the first thing that was not as expected and
 * where; getters after that return defaults, so a row of them needs one check.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/err.h"

struct json_in {
	const char *what;    /* names the document in messages, e.g. "issue" */
	int err;             /* 0 or ERR_PROTO */
	struct err_info *ei; /* filled with the first error; may be NULL */
};

/*
 * Parse a whole document.  Integers must fit 64 bits.  ERR_PROTO with line and
 * column.  The caller json_decref()s *ret.
 */
int json_in_parse(struct slice text, const char *what, json_t **ret, struct err_info *ei);

/* Latch ERR_PROTO: "what: member: problem". */
void json_in_fail(struct json_in *in, const char *member, const char *problem);

/* A member that must be there with that type; the defaults are 0, "", false, TIME_NONE. */
int64_t json_in_i64(struct json_in *in, const json_t *obj, const char *member);
const char *json_in_str(struct json_in *in, const json_t *obj, const char *member);
bool json_in_bool(struct json_in *in, const json_t *obj, const char *member);
int64_t json_in_time(struct json_in *in, const json_t *obj, const char *member);
json_t *json_in_array(struct json_in *in, const json_t *obj, const char *member); /* borrowed */

/* The same, but absent or null gives the default. */
int64_t json_in_opt_i64(struct json_in *in, const json_t *obj, const char *member);
const char *json_in_opt_str(struct json_in *in, const json_t *obj, const char *member);
bool json_in_opt_bool(struct json_in *in, const json_t *obj, const char *member);
int64_t json_in_opt_time(struct json_in *in, const json_t *obj, const char *member);
json_t *json_in_opt_array(struct json_in *in, const json_t *obj, const char *member);
json_t *json_in_opt_object(struct json_in *in, const json_t *obj, const char *member);
