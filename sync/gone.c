/*
 * gone.c - issues that GitHub no longer has: deleted (410), moved to another repository
 * (301), or not found (404), which may be a replica that lags behind.
 *
 * A 404 counts only when it repeats an hour later or more, while the repository itself
 * is there.  Until then the number stands in the snapshot's note "missing", a line
 * each: number, and Unix milliseconds of the first and of the last 404.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "sync/syncer_internal.h"
#include "sync/tombs.h"

#define MISSING_NOTE "missing"
#define MISSING_MAX_BYTES ((size_t)1 << 20)
#define CONFIRM_MS INT64_C(3600000)

/* --- tombstones --- */

struct burial {
	struct syncer *s;
	uint32_t number;
	const char *moved_to;
};

static int
commit_tombstone(struct mirror_txn *t, void *ctx)
{
	const struct burial *job = ctx;
	Maintpb__Mutation *m;
	struct diff d;

	txn_diff(job->s, t, &d);
	m = job->moved_to[0] != '\0' ? diff_transfer(&d, job->number, job->moved_to)
				     : diff_tombstone(&d, job->number);
	diff_clear(&d);
	return m == NULL ? ERR_NOMEM : mirror_add(t, m);
}

/* A number that was never seen needs no tombstone. */
static int
bury(struct syncer *s, uint32_t number, const char *moved_to, struct err_info *ei)
{
	struct burial job = { s, number, moved_to };

	if (!issue_is_live(s, number))
		return 0;
	log_info("issue is gone from GitHub", LOG_I("number", number),
	    LOG_S("moved_to", moved_to), LOG_END);
	return mirror_commit(s->mirror, commit_tombstone, &job, ei);
}

/* 404 and 410 say nothing of an issue while the repository, or its issues, are away. */
static int
repository_has_issues(struct syncer *s, struct err_info *ei)
{
	int rc;

	if (s->healthy)
		return 0;
	rc = walk_repository(s, false, ei);
	if (rc == 0 && s->issues_off)
		rc = err_set(
		    ei, ERR_GONE, "issues are switched off in %s/%s", s->owner, s->repo);
	s->healthy = rc == 0;
	return rc;
}

/* --- the note --- */

struct missing {
	uint32_t number;
	int64_t first_ms, last_ms;
};

/* Take a line off the front of `text`. */
static bool
next_line(struct slice *text, struct missing *ret)
{
	char line[80];
	const char *end = memchr(text->ptr, '\n', text->len);
	size_t len = end != NULL ? (size_t)(end - text->ptr) : 0;

	if (end == NULL || len >= sizeof(line))
		return false;
	memcpy(line, text->ptr, len);
	line[len] = '\0';
	*text = (struct slice){ end + 1, text->len - len - 1 };
	return sscanf(line, "%" SCNu32 " %" SCNd64 " %" SCNd64, &ret->number, &ret->first_ms,
		   &ret->last_ms) == 3;
}

/* A copy of the note in `ret`. */
static int
load_note(struct syncer *s, struct buf *ret)
{
	struct snap_view *v;
	struct slice text;
	int rc = mirror_view(s->mirror, &v);

	if (rc != 0)
		return rc;
	rc = snap_note_get(v, MISSING_NOTE, &text);
	if (rc == 0)
		buf_slice(ret, text);
	snap_writer_view_end(v);
	return rc == ERR_NOENT ? 0 : rc != 0 ? rc : buf_err(ret);
}

static int
store_note(struct mirror_txn *t, void *ctx)
{
	snap_note_put(t->snap, MISSING_NOTE, buf_view(ctx));
	return 0;
}

/* The line of `number` in *ret (all zero if there is none); the others in `rest`. */
static int
part_note(struct syncer *s, uint32_t number, struct missing *ret, struct buf *rest)
{
	struct missing m;
	struct slice text;
	struct buf note;
	int rc;

	*ret = (struct missing){ 0 };
	buf_init(&note, MISSING_MAX_BYTES);
	rc = load_note(s, &note);
	text = buf_view(&note);
	while (rc == 0 && text.len > 0 && next_line(&text, &m)) {
		if (m.number == number)
			*ret = m;
		else
			buf_fmt(rest, "%" PRIu32 " %" PRId64 " %" PRId64 "\n", m.number,
			    m.first_ms, m.last_ms);
	}
	buf_clear(&note);
	return rc == 0 ? buf_err(rest) : rc;
}

int
note_found(struct syncer *s, uint32_t number, struct err_info *ei)
{
	struct missing old;
	struct buf rest;
	int rc;

	buf_init(&rest, MISSING_MAX_BYTES);
	rc = part_note(s, number, &old, &rest);
	if (rc == 0 && old.number != 0)
		rc = mirror_commit(s->mirror, store_note, &rest, ei);
	buf_clear(&rest);
	return rc;
}

int
note_gone(struct syncer *s, uint32_t number, const char *moved_to, struct err_info *ei)
{
	int rc = moved_to[0] != '\0' ? 0 : repository_has_issues(s, ei);

	if (rc == 0)
		rc = bury(s, number, moved_to, ei);
	return rc == 0 ? note_found(s, number, ei) : rc;
}

int
note_missing(struct syncer *s, uint32_t number, struct err_info *ei)
{
	struct missing m;
	struct buf rest;
	int64_t now = s->hub_now_ms;
	int rc;

	if (!issue_is_live(s, number)) /* nothing to lose, and nothing to ask again for */
		return note_found(s, number, ei);
	rc = repository_has_issues(s, ei);
	if (rc != 0)
		return rc;
	buf_init(&rest, MISSING_MAX_BYTES);
	rc = part_note(s, number, &m, &rest);
	if (rc == 0 && m.number != 0 && now - m.first_ms >= CONFIRM_MS) {
		rc = bury(s, number, "", ei);
	} else if (rc == 0) {
		log_warning(
		    "GitHub does not know the issue for now", LOG_I("number", number), LOG_END);
		buf_fmt(&rest, "%" PRIu32 " %" PRId64 " %" PRId64 "\n", number,
		    m.number != 0 ? m.first_ms : now, now);
		rc = buf_err(&rest);
	}
	if (rc == 0)
		rc = mirror_commit(s->mirror, store_note, &rest, ei);
	buf_clear(&rest);
	return rc;
}

/* --- what others found out --- */

static enum tomb_result
state_of(struct syncer *s, uint32_t number, int *ret_rc)
{
	struct snap_view *v;
	struct snap_issue i;
	enum tomb_result state = TOMB_OPEN;
	int rc;

	*ret_rc = mirror_view(s->mirror, &v);
	if (*ret_rc != 0)
		return TOMB_OPEN;
	rc = snap_issue_get(v, number, &i);
	if (rc == 0 && (i.flags & SNAP_ISSUE_NOT_EXIST) != 0)
		state = TOMB_ALREADY;
	else if (rc == ERR_NOENT || (rc == 0 && (i.flags & SNAP_ISSUE_SEEN) == 0))
		state = TOMB_UNKNOWN;
	else
		*ret_rc = rc;
	snap_writer_view_end(v);
	return state;
}

static int
fill_order(struct syncer *s, struct tomb_order *o, struct err_info *ei)
{
	int rc = 0;

	s->healthy = false; /* asked once, and now: it may have been closed since the round */
	for (size_t i = 0; i < o->count && rc == 0; i++) {
		struct tomb_item *item = &o->items[i];

		item->result = state_of(s, item->number, &rc);
		if (rc != 0 || item->result != TOMB_OPEN)
			continue;
		rc = note_gone(
		    s, item->number, item->moved_to != NULL ? item->moved_to : "", ei);
		if (rc == 0)
			item->result = TOMB_TOMBSTONED;
	}
	return rc;
}

/* What a repository's own trouble on GitHub is not: then the program has one. */
static bool
is_ours(int rc)
{
	return rc == ERR_CANCELED || rc == ERR_NOMEM || rc == ERR_IO || rc == ERR_FULL ||
	       rc == ERR_CONFLICT || rc == ERR_CORRUPT || rc == ERR_VERSION;
}

int
syncer_sweep(struct syncer *s, struct err_info *ei)
{
	struct tomb_order *o;
	int rc = 0;

	while (rc == 0 && s->tombs != NULL && (o = tomb_queue_take(s->tombs)) != NULL) {
		struct err_info why = { 0 };
		int done = fill_order(s, o, &why);
		/* An answer promises that it is durable; what was done before a fault, too. */
		int kept = is_ours(done) ? done : syncer_checkpoint(s, &why);

		o->rc = done != 0 ? done : kept;
		o->why = why;
		if (o->rc != 0)
			log_error("tombstones asked for were not all made",
			    LOG_I("numbers", o->count), LOG_S("error", why.text), LOG_END);
		rc = is_ours(kept) ? kept : 0;
		if (rc != 0 && ei != NULL)
			*ei = why;
		tomb_queue_done(s->tombs, o);
	}
	return rc;
}

int
pass_missing(struct syncer *s, struct err_info *ei)
{
	struct missing m;
	struct slice text;
	struct buf note;
	int rc;

	buf_init(&note, MISSING_MAX_BYTES);
	rc = load_note(s, &note);
	text = buf_view(&note);
	while (rc == 0 && text.len > 0 && next_line(&text, &m)) {
		if (s->hub_now_ms - m.last_ms >= CONFIRM_MS) {
			rc = fetch_issue(s, m.number, ei);
			rc = rc == ERR_NOENT ? 0 : rc;
		}
	}
	buf_clear(&note);
	return rc;
}
