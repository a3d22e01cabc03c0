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

/* ERR_NOENT also for a tombstone. */
int diff_live_issue(struct diff *d, uint32_t number, struct snap_issue *ret);

/* Ids of children that the snapshot has and the array `now` has not. */
int diff_vanished(struct diff *d, enum snap_child_kind kind, uint32_t number, const json_t *now,
    size_t *ret_count, int64_t **ret);
bool diff_array_has_id(const json_t *array, int64_t id);

/*
 * The reactions of `obj`; *ret is NULL when it tells none, or what is stored (rendered,
 * with all kinds or not; empty stands for none).
 */
int diff_reactions(struct diff *d, struct json_in *in, const json_t *obj, struct slice stored,
    bool all, Maintpb__GithubReactions **ret);

/* Members that have a field, or that say again what others say. */
struct diff_names {
	const char *const *names;
	size_t count;
};
#define DIFF_NAMES(array) ((struct diff_names){ (array), sizeof(array) / sizeof((array)[0]) })

/*
 * The other members of `obj` that say something, as a new object, without what only helps
 * to browse GitHub (addresses, node ids).  NULL without memory.
 */
json_t *diff_unnamed(const json_t *obj, struct diff_names known);
/* `obj` as compact text with sorted keys, in the arena; empty for an object without members. */
int diff_dump(struct diff *d, const json_t *obj, ProtobufCBinaryData *ret);
/* Both in one. */
int diff_other(
    struct diff *d, const json_t *obj, struct diff_names known, ProtobufCBinaryData *ret);
/* Does the stored text say the same?  If not and `now` is empty, it becomes "{}". */
bool diff_other_differs(struct diff *d, struct slice stored, ProtobufCBinaryData *now);
/*
 * Put `part` (given away; NULL is ERR_NOMEM) in the place of the issue's stored other_json,
 * or of its member `half` alone; the rest stays.  Empty when nothing differs.
 */
int diff_other_half(
    struct diff *d, uint32_t number, const char *half, json_t *part, ProtobufCBinaryData *ret);

/* Does `text`, escaped, equal what is stored? */
bool diff_same_text(struct diff *d, const char *text, struct slice stored);

/* Is the text `key` among rendered members the same? */
bool diff_member_is(struct diff *d, struct slice members, const char *key, const char *text);
/* Milliseconds; TIME_NONE for NULL. */
int64_t diff_ms(const Maintpb__Timestamp *t);

static inline char *
diff_text(const char *text) /* protobuf-c never writes to a message it packs */
{
	return (char *)(uintptr_t)text;
}
