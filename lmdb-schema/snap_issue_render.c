/*
 * snap_issue_render.c - the row of an issue: its head, its lists, and the JSON members
 * in the form in which answers show them.
 */
#include <string.h>

#include "base/json_text.h"
#include "lmdb-schema/snap_write_internal.h"

/* --- labels of the issue, in the order in which they are shown --- */

struct named_label {
	int64_t id;
	struct slice escaped;
	struct slice raw;
	struct slice lower; /* what they are sorted by */
};

static int
compare_labels(const struct named_label *a, const struct named_label *b)
{
	size_t n = a->lower.len < b->lower.len ? a->lower.len : b->lower.len;
	int c = n == 0 ? 0 : memcmp(a->lower.ptr, b->lower.ptr, n);

	if (c != 0)
		return c;
	if (a->lower.len != b->lower.len)
		return a->lower.len < b->lower.len ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

/* Insertion sort: lists are short. */
static void
sort_labels(struct named_label *l, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct named_label x = l[i];
		size_t at = i;

		for (; at > 0 && compare_labels(&l[at - 1], &x) > 0; at--)
			l[at] = l[at - 1];
		l[at] = x;
	}
}

/* A label's raw name: the escaped one, unless it has an escape in it. */
static struct slice
raw_name(struct snap_txn *t, struct slice escaped)
{
	if (escaped.len == 0 || memchr(escaped.ptr, '\\', escaped.len) == NULL)
		return escaped;
	buf_reset(&t->text);
	if (json_text_unescape(&t->text, escaped) != 0)
		snap_txn_fail(t, ERR_CORRUPT);
	return snap_keep(t, buf_view(&t->text));
}

static struct slice
lower_name(struct snap_txn *t, struct slice raw)
{
	buf_reset(&t->text);
	utf8_lower(&t->text, raw);
	if (buf_err(&t->text) != 0)
		snap_txn_fail(t, buf_err(&t->text));
	return snap_keep(t, buf_view(&t->text));
}

static struct named_label *
named_labels(struct snap_txn *t, const struct snap_issue_edit *e)
{
	struct named_label *l =
	    arena_alloc(&t->arena, (e->label_count + (size_t)1) * sizeof(*l));

	if (l == NULL) {
		snap_txn_fail(t, ERR_NOMEM);
		return NULL;
	}
	for (uint32_t i = 0; i < e->label_count; i++) {
		l[i].id = e->labels[i];
		if (snap_label_name(&t->view, e->labels[i], &l[i].escaped) != 0)
			l[i].escaped = (struct slice){ 0 };
		l[i].raw = raw_name(t, l[i].escaped);
		l[i].lower = lower_name(t, l[i].raw);
	}
	sort_labels(l, e->label_count);
	return l;
}

/* --- rendering --- */

struct rendering {
	struct snap_txn *t;
	struct buf *b;
	const struct snap_issue_edit *e;
	const struct named_label *labels;
	struct snap_derived derived;
	uint32_t flags; /* with the derived bits */
};

static void
add_bool(struct buf *b, bool v)
{
	buf_str(b, v ? "true" : "false");
}

static void
add_quoted(struct buf *b, struct slice escaped)
{
	buf_char(b, '"');
	buf_slice(b, escaped);
	buf_char(b, '"');
}

static void
add_time(struct buf *b, int64_t ms)
{
	char text[TIME_TEXT_MAX];

	if (ms == TIME_NONE)
		buf_str(b, "null");
	else
		add_quoted(b, (struct slice){ text, time_format(ms, text) });
}

static void
add_path(const struct rendering *r, const char *before, const char *middle)
{
	buf_str(r->b, before);
	json_text_escape(r->b, slice_str(r->t->writer->repo));
	buf_str(r->b, middle);
	if (middle[0] != '\0')
		buf_u64(r->b, r->e->number);
	buf_char(r->b, '"');
}

static void
add_priority(const struct rendering *r)
{
	if (r->derived.priority > 4)
		buf_str(r->b, "\"PRIORITY_UNSPECIFIED\"");
	else
		buf_fmt(r->b, "\"P%u\"", r->derived.priority);
}

static void
add_labels(const struct rendering *r)
{
	buf_char(r->b, '[');
	for (uint32_t i = 0; i < r->e->label_count; i++) {
		if (i > 0)
			buf_char(r->b, ',');
		add_quoted(r->b, r->labels[i].escaped);
	}
	buf_char(r->b, ']');
}

static void
add_milestone(const struct rendering *r)
{
	struct snap_milestone m;

	if (r->e->milestone == 0 || snap_milestone_get(&r->t->view, r->e->milestone, &m) != 0) {
		buf_str(r->b, "null");
		return;
	}
	buf_str(r->b, "{\"number\":");
	buf_i64(r->b, m.number);
	buf_str(r->b, ",\"title\":");
	add_quoted(r->b, m.title);
	buf_char(r->b, '}');
}

/* What came rendered; `none` when nothing did. */
static void
add_json(struct buf *b, struct slice json, const char *none)
{
	if (json.len > 0)
		buf_slice(b, json);
	else
		buf_str(b, none);
}

static void
add_value(const struct rendering *r, enum snap_member m)
{
	const struct snap_issue_edit *e = r->e;
	bool closed = (r->flags & SNAP_ISSUE_CLOSED) != 0;

	switch (m) {
	case SNAP_M_NAME:
		add_path(r, "\"", "/issues/");
		break;
	case SNAP_M_TITLE:
		add_quoted(r->b, e->title);
		break;
	case SNAP_M_PRIORITY:
		add_priority(r);
		break;
	case SNAP_M_PRIORITY_UNKNOWN:
		add_bool(r->b, !r->derived.priority_known);
		break;
	case SNAP_M_ISSUE_TYPE:
		add_quoted(r->b, slice_str(snap_type_names[r->derived.type]));
		break;
	case SNAP_M_LABELS:
		add_labels(r);
		break;
	case SNAP_M_CREATED_AT:
		add_time(r->b, e->created_ms);
		break;
	case SNAP_M_UPDATED_AT:
		add_time(r->b, e->updated_ms);
		break;
	case SNAP_M_CLOSED_AT:
		add_time(r->b, closed ? e->closed_ms : TIME_NONE);
		break;
	case SNAP_M_CLOSED:
		add_bool(r->b, closed);
		break;
	case SNAP_M_IS_PR:
		add_bool(r->b, (r->flags & SNAP_ISSUE_PULL) != 0);
		break;
	case SNAP_M_APPROVED:
		add_bool(r->b, (r->flags & SNAP_ISSUE_APPROVED) != 0);
		break;
	case SNAP_M_GIT_COMMIT:
		buf_str(r->b, "null");
		break;
	case SNAP_M_COMMIT:
		add_quoted(r->b, e->commit);
		break;
	case SNAP_M_ISSUE_ID:
		buf_u64(r->b, e->number);
		break;
	case SNAP_M_URL:
		add_path(r, "\"https://github.com/", "/issues/");
		break;
	case SNAP_M_REPO:
		add_path(r, "\"", "");
		break;
	case SNAP_M_BLOCKED:
		add_bool(r->b, r->derived.blocked);
		break;
	case SNAP_M_RELEASE_BLOCKING:
		add_bool(r->b, r->derived.release_blocking);
		break;
	case SNAP_M_DRAFT:
		add_bool(r->b, (r->flags & SNAP_ISSUE_DRAFT) != 0);
		break;
	case SNAP_M_MERGED_AT:
		add_time(r->b, e->merged_ms);
		break;
	case SNAP_M_STATE_REASON:
		add_quoted(r->b, e->state_reason);
		break;
	case SNAP_M_LOCKED:
		add_bool(r->b, (r->flags & SNAP_ISSUE_LOCKED) != 0);
		break;
	case SNAP_M_MILESTONE:
		add_milestone(r);
		break;
	case SNAP_M_AUTHOR_ASSOCIATION:
		add_quoted(r->b, e->association);
		break;
	case SNAP_M_ACTIVE_LOCK_REASON:
		add_quoted(r->b, e->lock_reason);
		break;
	case SNAP_M_REACTIONS:
		add_json(r->b, e->reactions, SNAP_NO_REACTIONS);
		break;
	case SNAP_M_MERGE_COMMIT:
		add_quoted(r->b, e->merge_commit);
		break;
	case SNAP_M_BASE:
		add_json(r->b, e->base, "null");
		break;
	case SNAP_M_HEAD:
		add_json(r->b, e->head, "null");
		break;
	case SNAP_M_REQUESTED_TEAMS:
		add_json(r->b, e->teams, "[]");
		break;
	case SNAP_M_TYPE:
		add_quoted(r->b, e->type);
		break;
	case SNAP_M_COUNT:
		break;
	}
}

/* Note where in the row member `m` begins: `more` behind what is there. */
static void
put_offset(struct buf *b, unsigned m, uint32_t more)
{
	if (buf_err(b) == 0)
		put_le32(b->ptr + SNAP_I_MEMBERS + (size_t)4 * m, (uint32_t)b->len + more);
}

static void
add_members(const struct rendering *r)
{
	struct buf *b = r->b;

	for (unsigned m = 0; m < SNAP_M_COUNT; m++) {
		if (m > 0)
			buf_char(b, ',');
		put_offset(b, m, 0);
		buf_char(b, '"');
		buf_str(b, snap_member_key((enum snap_member)m));
		buf_str(b, "\":");
		add_value(r, (enum snap_member)m);
	}
	put_offset(b, SNAP_M_COUNT, 1);
}

/* The body, where it is short enough, and what makes the row so long that it stands alone. */
static void
add_body(const struct rendering *r)
{
	static const char zeros[SNAP_I_ROW_MIN];
	const struct snap_issue_edit *e = r->e;
	bool apart = e->body_changed ? e->body.len > SNAP_I_BODY_MAX : e->body_apart;

	if (!apart) {
		buf_str(r->b, ",\"body\":");
		add_quoted(r->b, e->body);
	}
	put_offset(r->b, SNAP_M_COUNT + 1, 1);
	if (r->b->len < SNAP_I_ROW_MIN)
		buf_add(r->b, zeros, SNAP_I_ROW_MIN - r->b->len);
}

static void
add_head(struct buf *b, const struct rendering *r)
{
	const struct snap_issue_edit *e = r->e;
	const int64_t wide[] = { e->created_ms, e->updated_ms, e->closed_ms, e->merged_ms,
		e->id, e->reporter, e->closed_by, e->milestone, e->merged_by, e->comments_ms,
		e->events_ms, e->reviews_ms, e->commit_event, e->commit_ms };
	const uint32_t narrow[] = { e->comment_count, e->review_count, e->event_count,
		e->review_comment_count, e->hub_comments, e->label_count, e->assignee_count,
		e->reviewer_count };
	const char small[4] = { (char)r->derived.priority, (char)r->derived.type, 0, 0 };
	static const char members[4 * SNAP_I_OFFSETS];

	buf_le32(b, r->flags);
	buf_le32(b, e->number);
	for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
		buf_le64(b, (uint64_t)wide[i]);
	for (size_t i = 0; i < sizeof(narrow) / sizeof(narrow[0]); i++)
		buf_le32(b, narrow[i]);
	buf_add(b, small, sizeof(small));
	buf_add(b, members, sizeof(members)); /* filled in by add_members() */
	for (uint32_t i = 0; i < e->label_count; i++)
		buf_le64(b, (uint64_t)r->labels[i].id);
	for (uint32_t i = 0; i < e->assignee_count; i++)
		buf_le64(b, (uint64_t)e->assignees[i]);
	for (uint32_t i = 0; i < e->reviewer_count; i++)
		buf_le64(b, (uint64_t)e->reviewers[i]);
}

static void
derive(struct rendering *r)
{
	const struct snap_issue_edit *e = r->e;
	struct slice *names =
	    arena_alloc(&r->t->arena, (e->label_count + (size_t)1) * sizeof(*names));

	if (names == NULL) {
		snap_txn_fail(r->t, ERR_NOMEM);
		return;
	}
	for (uint32_t i = 0; i < e->label_count; i++)
		names[i] = r->labels[i].raw;
	snap_derive(names, e->label_count, &r->derived);
	r->flags = e->flags & ~(uint32_t)(SNAP_ISSUE_BLOCKED | SNAP_ISSUE_RELEASE_BLOCKING |
					  SNAP_ISSUE_PRIORITY_KNOWN);
	r->flags |= (r->derived.blocked ? SNAP_ISSUE_BLOCKED : 0U) |
		    (r->derived.release_blocking ? SNAP_ISSUE_RELEASE_BLOCKING : 0U) |
		    (r->derived.priority_known ? SNAP_ISSUE_PRIORITY_KNOWN : 0U);
}

bool
snap_issue_render(struct snap_txn *t, const struct snap_issue_edit *e, uint32_t *ret_flags)
{
	struct rendering r = { .t = t, .b = &t->row, .e = e };

	r.labels = named_labels(t, e);
	if (t->err == 0)
		derive(&r);
	if (t->err != 0)
		return false;
	buf_reset(&t->row);
	add_head(&t->row, &r);
	add_members(&r);
	add_body(&r);
	*ret_flags = r.flags;
	return true;
}

void
snap_reactions_render(struct buf *b, const struct snap_reactions *r, bool all)
{
	static const char *const names[SNAP_REACTION_KINDS] = { "plusOne", "minusOne", "laugh",
		"hooray", "confused", "heart", "rocket", "eyes" };

	buf_str(b, "{\"totalCount\":");
	buf_u64(b, r->total);
	for (size_t i = 0; i < SNAP_REACTION_KINDS; i++) {
		if (!all && r->kinds[i] == 0)
			continue;
		buf_str(b, ",\"");
		buf_str(b, names[i]);
		buf_str(b, "\":");
		buf_u64(b, r->kinds[i]);
	}
	buf_char(b, '}');
}
