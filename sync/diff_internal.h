/* diff_internal.h - shared by the diff_*.c files only. */
#pragma once

#include "sync/diff.h"

/* `size` zeroed bytes; NULL latches nothing: callers return ERR_NOMEM. */
#define DIFF_NEW(d, type) ((type *)arena_alloc((d)->arena, sizeof(type)))

/* A growing array of pointers or ids in the arena. */
struct diff_list {
	void **items;
	size_t count, cap;
};
int diff_push(struct diff *d, struct diff_list *l, void *item);

/* Messages, initialised; NULL without memory. */
Maintpb__Mutation *diff_issue_message(struct diff *d, uint32_t number);
Maintpb__Mutation *diff_repo_message(struct diff *d);
Maintpb__Timestamp *diff_time(struct diff *d, int64_t ms); /* NULL for TIME_NONE */
Maintpb__BoolChange *diff_bool(struct diff *d, bool v);
Maintpb__StringChange *diff_string(struct diff *d, const char *v);
Maintpb__GithubIssueSyncStatus *diff_status(struct diff *d, int64_t ms);

/* A user in JSON: id 0 when null. */
struct diff_user {
	int64_t id;
	const char *login;
};
struct diff_user diff_read_user(struct json_in *in, const json_t *obj, const char *member);
Maintpb__GithubUser *diff_user_message(struct diff *d, struct diff_user u);
/* True if the snapshot knows that id under another login, or not at all. */
bool diff_user_is_news(struct diff *d, struct diff_user u);
/* Put `u` into `known` when its login is news and it is not there yet. */
int diff_note_user(struct diff *d, struct diff_list *known, struct diff_user u);

/* Does `text`, escaped, equal what is stored? */
bool diff_same_text(struct diff *d, const char *text, struct slice stored);

static inline char *
diff_text(const char *text) /* protobuf-c never writes to a message it packs */
{
	return (char *)(uintptr_t)text;
}
