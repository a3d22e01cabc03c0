/*
 * snap_read.h - read side of a repository snapshot, the only LMDB header that
 * fcgi/ may include.  Writers use snap_write.h; FORMAT.md has the bytes.
 *
 * Many processes may read while one sync daemon writes; a reader never blocks
 * the writer, but a view held open stops LMDB from reusing pages.  Everything
 * a view returns is borrowed from the memory map and ends with the view.
 * Texts are stored as they stand in JSON, so an answer is gathered by copying.
 */
#pragma once

#include "base/buf.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"

struct snap;      /* a snapshot directory; may be shared by threads */
struct snap_view; /* one point in time; one thread at a time, for milliseconds */

/*
 * Open the snapshot in directory `dir` (which holds the link `current`) for
 * reading.  On success *ret is a new handle that snap_close() ends.  Errors:
 * ERR_NOENT (nothing synced yet), ERR_VERSION (text says how to rebuild),
 * ERR_CORRUPT, ERR_NOMEM, ERR_IO, ERR_DENIED.
 */
int snap_open(const char *dir, struct snap **ret, struct err_info *ei);
void snap_close(struct snap *s); /* NULL is fine; end all views first */

/*
 * Begin a view.  Follows to the successor when a rebuild has replaced the
 * environment.  Cheap (about a microsecond): ended views are kept and renewed.
 * Errors: as snap_open(), and ERR_FULL when every reader slot is taken.
 */
int snap_view_begin(struct snap *s, struct snap_view **ret);
void snap_view_end(struct snap_view *v); /* NULL is fine */

/* Two views with the same stamp, of one process, show the same. */
struct snap_stamp {
	uint64_t environment, transaction;
};
struct snap_stamp snap_view_stamp(const struct snap_view *v);

/* Clear slots of readers that died; returns how many there were. */
int snap_sweep_readers(struct snap *s);

/* --- the repository --- */

enum snap_class { /* which of four disjoint sets an issue is in */
	SNAP_CLASS_OPEN_ISSUE = 0,
	SNAP_CLASS_OPEN_PULL = 1,
	SNAP_CLASS_CLOSED_ISSUE = 2,
	SNAP_CLASS_CLOSED_PULL = 3,
	SNAP_CLASS_COUNT = 4,
};
#define SNAP_CLASS_ALL 15U /* a mask with every class's bit */

struct snap_repo {
	struct slice name;                 /* "owner/repo" */
	uint64_t counts[SNAP_CLASS_COUNT]; /* tombstones are in none */
	/* rows stored, tombstoned issues included */
	uint64_t comments, events, reviews, review_comments;
	uint32_t log_segment; /* end of the log that is applied here */
	uint64_t log_offset;
};

int snap_repo_get(struct snap_view *v, struct snap_repo *ret);

/* How far a family of objects is mirrored. */
struct snap_sync {
	int64_t
	    server_date_ms; /* GitHub's clock when it was last known complete; TIME_NONE = never */
	int64_t watermark_ms;    /* newest update seen; the next poll starts there */
	bool complete;           /* the first walk over the family has ended */
	struct slice position;   /* URL of the next page of an unfinished walk */
	struct slice etag;       /* validator of the poll URL */
	struct slice etag_owner; /* digest of the token that got the validator */
};

/* ERR_NOENT when the family was never touched. */
int snap_sync_get(struct snap_view *v, struct slice family, struct snap_sync *ret);

/* Text the sync daemon left under `key` (e.g. "last_error"); ERR_NOENT. */
int snap_note_get(struct snap_view *v, const char *key, struct slice *ret);

/* --- issues --- */

enum snap_issue_flag {
	SNAP_ISSUE_NOT_EXIST = 1 << 0, /* tombstoned */
	SNAP_ISSUE_PULL = 1 << 1,
	SNAP_ISSUE_CLOSED = 1 << 2,
	SNAP_ISSUE_LOCKED = 1 << 3,
	SNAP_ISSUE_APPROVED = 1 << 4,
	SNAP_ISSUE_DRAFT = 1 << 5,
	SNAP_ISSUE_BLOCKED = 1 << 6,
	SNAP_ISSUE_RELEASE_BLOCKING = 1 << 7,
	SNAP_ISSUE_PRIORITY_KNOWN = 1 << 8,
	SNAP_ISSUE_COMMENTS_UNSORTED = 1 << 9, /* ids and times disagree: sort to render */
	SNAP_ISSUE_REVIEWS_UNSORTED = 1 << 10,
	SNAP_ISSUE_SEEN = 1 << 11, /* some mutation carried more than a tombstone */
	SNAP_ISSUE_REVIEW_COMMENTS_UNSORTED = 1 << 12,
};

/*
 * The members of an issue that are stored rendered ("key":value), in the
 * order in which they stand in the row, separated by commas.
 */
enum snap_member {
	SNAP_M_NAME,
	SNAP_M_TITLE,
	SNAP_M_PRIORITY,
	SNAP_M_PRIORITY_UNKNOWN,
	SNAP_M_ISSUE_TYPE,
	SNAP_M_LABELS,
	SNAP_M_CREATED_AT,
	SNAP_M_UPDATED_AT,
	SNAP_M_CLOSED_AT,
	SNAP_M_CLOSED,
	SNAP_M_IS_PR,
	SNAP_M_APPROVED,
	SNAP_M_GIT_COMMIT,
	SNAP_M_COMMIT,
	SNAP_M_ISSUE_ID,
	SNAP_M_URL,
	SNAP_M_REPO,
	SNAP_M_BLOCKED,
	SNAP_M_RELEASE_BLOCKING,
	SNAP_M_DRAFT,
	SNAP_M_MERGED_AT,
	SNAP_M_STATE_REASON,
	SNAP_M_LOCKED,
	SNAP_M_MILESTONE,
	SNAP_M_AUTHOR_ASSOCIATION,
	SNAP_M_ACTIVE_LOCK_REASON,
	SNAP_M_REACTIONS,
	SNAP_M_MERGE_COMMIT,
	SNAP_M_BASE,
	SNAP_M_HEAD,
	SNAP_M_REQUESTED_TEAMS,
	SNAP_M_TYPE,
	SNAP_M_COUNT,
};

/* The JSON key of a stored member, e.g. "createdAt". */
const char *snap_member_key(enum snap_member m);

/* A row of the table `issue`: a fixed head, id lists, rendered members. */
struct snap_issue {
	uint32_t number; /* as GitHub shows it, counted from 1 */
	uint32_t flags;  /* enum snap_issue_flag */
	const char *row; /* borrowed; the accessors below read it */
	size_t row_len;
	uint32_t label_count;
	uint32_t assignee_count;
	uint32_t reviewer_count; /* requested reviewers */
};

/* ERR_NOENT when the number was never seen; a tombstone is returned with its flag. */
int snap_issue_get(struct snap_view *v, uint32_t number, struct snap_issue *ret);

int64_t snap_issue_created_ms(const struct snap_issue *i); /* TIME_NONE if unknown */
int64_t snap_issue_updated_ms(const struct snap_issue *i);
int64_t snap_issue_closed_ms(const struct snap_issue *i);
int64_t snap_issue_merged_ms(const struct snap_issue *i);
int64_t snap_issue_id(const struct snap_issue *i);
int64_t snap_issue_reporter(const struct snap_issue *i); /* user id, 0 = nobody known */
int64_t snap_issue_closed_by(const struct snap_issue *i);
int64_t snap_issue_milestone(const struct snap_issue *i);      /* milestone id, 0 = none */
int64_t snap_issue_merged_by(const struct snap_issue *i);      /* user id, 0 = unknown */
uint32_t snap_issue_comment_count(const struct snap_issue *i); /* comments stored */
uint32_t snap_issue_review_count(const struct snap_issue *i);
uint32_t snap_issue_event_count(const struct snap_issue *i);
uint32_t snap_issue_review_comment_count(const struct snap_issue *i);
#define SNAP_HUB_UNKNOWN UINT32_MAX /* GitHub was not asked since a rebuild */
uint32_t snap_issue_hub_comments(const struct snap_issue *i); /* as GitHub last said */
int64_t snap_issue_comments_ms(const struct snap_issue *i);   /* synced as of; TIME_NONE */
int64_t snap_issue_events_ms(const struct snap_issue *i);
int64_t snap_issue_reviews_ms(const struct snap_issue *i);
int64_t snap_issue_label(const struct snap_issue *i, uint32_t at);
int64_t snap_issue_assignee(const struct snap_issue *i, uint32_t at);
int64_t snap_issue_reviewer(const struct snap_issue *i, uint32_t at); /* ids rise */

/* All rendered members with the commas between them, or one of them. */
struct slice snap_issue_members(const struct snap_issue *i);
struct slice snap_issue_member(const struct snap_issue *i, enum snap_member m);
/* The value alone: what stands behind the colon. */
struct slice snap_issue_value(const struct snap_issue *i, enum snap_member m);

/*
 * The members with `"body":"..."` behind them, as one run.  False when the body is too long
 * to stand in the row; then *ret is the members alone.
 */
bool snap_issue_members_and_body(const struct snap_issue *i, struct slice *ret);

/* The body as a JSON value ("..."), `""` when there is none. */
int snap_issue_body(struct snap_view *v, const struct snap_issue *i, struct slice *ret);
/* The same by number; `""` for one that was never seen, too. */
int snap_body_get(struct snap_view *v, uint32_t number, struct slice *ret);

/* What is mirrored of an issue that no list shows. */
struct snap_other {
	struct slice transferred_to; /* raw text: "owner/repo/number" or an URL */
	struct slice json;           /* an object: GitHub's fields that nothing else holds */
};
/* Both are empty when there is nothing. */
int snap_other_get(struct snap_view *v, uint32_t number, struct snap_other *ret);

/*
 * The value of `key` among rendered members: `"key":value,"key":value`.  False, and
 * *ret empty, when it is not there.
 */
bool snap_member_find(struct slice members, const char *key, struct slice *ret);
/*
 * Cut the first of rendered members off *rest; `key` is without its quotation marks.  False
 * at the end, which *rest then is empty at, and at what is no member.
 */
bool snap_member_next(struct slice *rest, struct slice *ret_key, struct slice *ret_value);
/* The same for what stands between the brackets of a list. */
bool snap_element_next(struct slice *rest, struct slice *ret_value);
/* The same for a text: what stands between its quotation marks. */
struct slice snap_member_text(struct slice members, const char *key);

/* --- comments, reviews, events: children of an issue, keyed by id --- */

enum snap_child_kind {
	SNAP_COMMENT,
	SNAP_REVIEW,
	SNAP_EVENT,
	SNAP_REVIEW_COMMENT, /* on a line of a pull request's diff */
	SNAP_CHILD_KINDS,
};

struct snap_child {
	int64_t id;
	int64_t created_ms;
	int64_t updated_ms; /* not of events */
	int64_t actor;      /* author, reviewer or actor: user id, 0 = unknown */
	/* events: assignee, assigner, reviewer, review requester; review comments: review,
	 * comment that this one answers */
	int64_t others[4];
	struct slice members; /* rendered, commas between, without the actor */
	struct slice last; /* comment: "body":..., review: "state":..., event: commit id text */
};

/* Walks the children of one issue; one walk of a kind at a time per view. */
struct snap_walk {
	void *cursor;
	int64_t after; /* set it before the first step to begin behind that id; else 0 */
	uint32_t number;
	enum snap_child_kind kind;
	bool started;
};

/* In id order.  snap_walk_next() is ERR_NOENT behind the last. */
int snap_walk_begin(
    struct snap_view *v, enum snap_child_kind kind, uint32_t number, struct snap_walk *ret);
int snap_walk_next(struct snap_walk *w, struct snap_child *ret);
int snap_child_get(struct snap_view *v, enum snap_child_kind kind, uint32_t number, int64_t id,
    struct snap_child *ret);

/* --- users, labels, milestones --- */

/* {"id":5,"login":"x"}; for an id without a row ERR_NOENT. */
int snap_user_json(struct snap_view *v, int64_t id, struct slice *ret);
/*
 * Append the same to `out`, whose errors are latched there.  Quicker: users are remembered
 * from view to view while nothing is written.
 */
int snap_user_add(struct snap_view *v, int64_t id, struct buf *out);
/* The login, escaped; ERR_NOENT. */
int snap_user_login(struct snap_view *v, int64_t id, struct slice *ret);

struct snap_label {
	int64_t id;
	struct slice name, color, description; /* escaped; color is six hex digits */
};
/* ERR_NOENT. */
int snap_label_get(struct snap_view *v, int64_t id, struct snap_label *ret);
/* The first with an id above `after`; ERR_NOENT behind the last. */
int snap_label_next(struct snap_view *v, int64_t after, struct snap_label *ret);
/* The name, escaped; ERR_NOENT. */
int snap_label_name(struct snap_view *v, int64_t id, struct slice *ret);

/* How many there are. */
uint64_t snap_label_count(struct snap_view *v);
uint64_t snap_milestone_count(struct snap_view *v);

struct snap_milestone {
	int64_t id;
	int64_t number;
	bool closed;
	int64_t created_ms, updated_ms, closed_ms, due_ms;
	int64_t creator;                 /* user id, 0 = unknown */
	struct slice title, description; /* escaped */
};
int snap_milestone_get(struct snap_view *v, int64_t id, struct snap_milestone *ret);
int snap_milestone_next(struct snap_view *v, int64_t after, struct snap_milestone *ret);

/* --- the durable log, as far as it is known here --- */

struct snap_segment {
	uint32_t number;
	uint64_t size;       /* bytes */
	struct slice sha224; /* 56 hex digits */
};

/* The segment `number`; ERR_NOENT behind the last, and before anything was flushed. */
int snap_segment_get(struct snap_view *v, uint32_t number, struct snap_segment *ret);

/* --- lists --- */

enum snap_order {
	SNAP_BY_NUMBER,
	SNAP_BY_CREATED,
	SNAP_BY_UPDATED,
	SNAP_BY_COMMENTS,
	SNAP_ORDERS,
};

/* A place in a list: the sort key and the number that breaks ties. */
struct snap_list_pos {
	uint64_t key; /* order-preserving form of what the list is ordered by */
	uint32_t number;
};

/*
 * A merge of the classes' indexes; opaque but caller-owned, ends with the
 * view.  Costs the same at any depth and size.
 */
#define SNAP_LIST_AHEAD 8U /* rows that are on their way from memory at once */
struct snap_list {
	struct snap_view *view;
	enum snap_order order;
	bool descending;
	unsigned live; /* classes whose head is valid */
	void *cursors[SNAP_CLASS_COUNT];
	struct snap_list_pos heads[SNAP_CLASS_COUNT];
	/* of snap_list_next_issue(): located, not returned yet */
	struct snap_list_pos ahead_pos[SNAP_LIST_AHEAD];
	struct slice ahead_rows[SNAP_LIST_AHEAD];
	unsigned ahead_at, ahead_count;
	int ahead_rc; /* what comes behind them; 0 = more */
};

/* Start behind `after` (NULL: at the beginning); `classes` is a mask of 1 << enum snap_class. */
int snap_list_begin(struct snap_view *v, enum snap_order order, bool descending,
    unsigned classes, const struct snap_list_pos *after, struct snap_list *ret);
/* ERR_NOENT at the end. */
int snap_list_next(struct snap_list *l, struct snap_list_pos *ret);
/*
 * The same with the issue's row; do not mix the two in one list.  Looks ahead, so that the
 * rows of several issues come from memory at once: several times quicker than
 * snap_issue_get() for each, where they are not in the processor's caches.
 * ERR_CORRUPT for an index entry without its row.
 */
int snap_list_next_issue(
    struct snap_list *l, struct snap_list_pos *ret, struct snap_issue *ret_issue);

/*
 * The same list for a reader that looks at the head of every row and seldom further: at
 * flags, times, ids and counts.  The members of what it gives must be checked by
 * snap_issue_check() before any of them, or the body, is read.  Opaque but caller-owned,
 * ends with the view; not at the same time as a snap_list.
 */
#define SNAP_SCAN_AHEAD 16U
struct snap_scan {
	struct snap_list list;
	bool direct; /* through the rows themselves, in the order of numbers */
	bool started;
	unsigned classes;
	uint32_t after; /* of a direct one: the number before the first */
	unsigned at, count;
	int rc; /* what comes behind the rows that are ahead; 0 = more */
	struct snap_list_pos pos[SNAP_SCAN_AHEAD];
	struct slice rows[SNAP_SCAN_AHEAD];
};

int snap_scan_begin(struct snap_view *v, enum snap_order order, bool descending,
    unsigned classes, const struct snap_list_pos *after, struct snap_scan *ret);
/* ERR_NOENT at the end. */
int snap_scan_next(
    struct snap_scan *s, struct snap_list_pos *ret, struct snap_issue *ret_issue);
/* ERR_CORRUPT when the row's members are not where it says. */
int snap_issue_check(const struct snap_issue *i);
