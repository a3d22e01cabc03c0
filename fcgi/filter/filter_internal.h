/*
 * filter_internal.h - how fields are found; for this folder only.
 *
 * A field's id says where its value is: a source, and which of that source's values.
 */
#pragma once

#include "base/cel/cel.h"
#include "fcgi/filter/filter.h"

enum filter_source {
	FROM_ROOT,     /* a variable itself: enum filter_root */
	FROM_FLAG,     /* a bit of the issue's flags */
	FROM_NUMBER,   /* enum filter_number */
	FROM_TIME,     /* enum filter_time */
	FROM_TEXT,     /* a text among the stored members: enum snap_member */
	FROM_TEXTS,    /* a list of texts there */
	FROM_JSON,     /* an object there */
	FROM_USER,     /* a user of the issue: enum filter_user */
	FROM_USERS,    /* users: assignees or requested reviewers */
	FROM_BODY,     /* in a table of its own */
	FROM_CHILDREN, /* enum snap_child_kind */
	FROM_USER_ID,  /* of a user */
	FROM_USER_LOGIN,
	FROM_JSON_TEXT, /* in an object among the members: its key */
	FROM_JSON_NUMBER,
	FROM_CHILD_ID,    /* of a comment, review, event or line comment */
	FROM_CHILD_TIME,  /* 0 created, 1 updated */
	FROM_CHILD_ACTOR, /* 0 the actor, from 1 on the others */
	FROM_CHILD_TEXT,  /* a member: its key */
	FROM_CHILD_NUMBER,
	FROM_CHILD_JSON,
	FROM_COUNT, /* of the repository: enum filter_count */
	FROM_REPO_NAME,
	FROM_NOW,
	FROM_SOURCES,
};

enum filter_root {
	ROOT_ISSUE,
	ROOT_CHILD,
	ROOT_REPOSITORY,
};

enum filter_number {
	NUMBER_NUMBER,
};

enum filter_time {
	TIME_CREATED,
	TIME_UPDATED,
	TIME_CLOSED,
	TIME_MERGED,
};

enum filter_user {
	USER_REPORTER,
	USER_CLOSED_BY,
	USER_MERGED_BY,
};

enum filter_count {
	COUNT_ISSUES,
	COUNT_PULLS,
	COUNT_OPEN_ISSUES,
	COUNT_OPEN_PULLS,
	COUNT_COMMENTS,
	COUNT_REVIEWS,
	COUNT_REVIEW_COMMENTS,
	COUNT_EVENTS,
};

#define FIELD_ID(source, which) (((uint32_t)(source) << 16) | (uint32_t)(which))
#define FIELD_NOW FIELD_ID(FROM_NOW, 0)

/* The variables of a kind of rows. */
const struct cel_object *filter_vars(enum filter_rows rows);
/* The JSON key that a FROM_JSON_ or FROM_CHILD_ field's second half stands for. */
const char *filter_key(uint32_t which);

/* What values are read from while an expression runs. */
struct filter_reader {
	const struct filter_row *row;
	bool unchecked; /* as the row's, until it is done */
	int64_t now_ms;
};
int filter_read(void *reader, const struct cel_value *object, uint32_t field,
    struct arena *scratch, struct cel_value *ret);

/* The text that stands, escaped and between quotation marks, at `json`; null is empty. */
int filter_unescape(struct slice json, struct arena *scratch, struct cel_value *ret);
