/*
 * snap_issue_write.c - rows of `issue` and `issue_body`: loading one in a form
 * that can be changed, rendering its JSON members, storing it with its index
 * entries and counters.
 */
#include <string.h>

#include "base/json_text.h"
#include "lmdb-schema/snap_write_internal.h"

/* The text of a rendered string value, without its quotation marks. */
static struct slice
unquote(struct slice value)
{
	return (struct slice){ value.ptr + 1, value.len - 2 };
}

static struct slice
keep(struct snap_txn *t, struct slice s)
{
	char *copy = arena_dup(&t->arena, s);

	if (copy == NULL) {
		snap_txn_fail(t, ERR_NOMEM);
		return (struct slice){ 0 };
	}
	return (struct slice){ copy, s.len };
}

static void
load_heads(const struct snap_issue *i, struct snap_issue_edit *e)
{
	e->flags = i->flags;
	e->id = snap_issue_id(i);
	e->created_ms = snap_issue_created_ms(i);
	e->updated_ms = snap_issue_updated_ms(i);
	e->closed_ms = snap_issue_closed_ms(i);
	e->merged_ms = snap_issue_merged_ms(i);
	e->reporter = snap_issue_reporter(i);
	e->closed_by = snap_issue_closed_by(i);
	e->milestone = snap_issue_milestone(i);
	e->comments_ms = snap_issue_comments_ms(i);
	e->events_ms = snap_issue_events_ms(i);
	e->reviews_ms = snap_issue_reviews_ms(i);
	e->commit_event = (int64_t)get_le64(i->row + SNAP_I_COMMIT_EVENT);
	e->commit_ms = (int64_t)get_le64(i->row + SNAP_I_COMMIT_MS);
	e->comment_count = snap_issue_comment_count(i);
	e->review_count = snap_issue_review_count(i);
	e->event_count = snap_issue_event_count(i);
	e->hub_comments = snap_issue_hub_comments(i);
}

static int
load_lists(const struct snap_issue *i, struct snap_issue_edit *e)
{
	if (i->label_count > SNAP_LIST_MAX || i->assignee_count > SNAP_LIST_MAX)
		return ERR_CORRUPT;
	e->label_count = i->label_count;
	e->assignee_count = i->assignee_count;
	for (uint32_t n = 0; n < i->label_count; n++)
		e->labels[n] = snap_issue_label(i, n);
	for (uint32_t n = 0; n < i->assignee_count; n++)
		e->assignees[n] = snap_issue_assignee(i, n);
	return 0;
}

static void
start_empty(uint32_t number, struct snap_issue_edit *e)
{
	memset(e, 0, sizeof(*e));
	e->number = number;
	e->created_ms = e->updated_ms = e->closed_ms = e->merged_ms = TIME_NONE;
	e->comments_ms = e->events_ms = e->reviews_ms = e->commit_ms = TIME_NONE;
	e->hub_comments = SNAP_HUB_UNKNOWN;
}

int
snap_issue_edit_begin(struct snap_txn *t, uint32_t number, struct snap_issue_edit *ret)
{
	struct snap_issue i;
	int rc = snap_issue_get(&t->view, number, &i);

	if (rc == ERR_NOENT) {
		start_empty(number, ret);
		return 0;
	}
	if (rc != 0)
		return rc;
	ret->number = number;
	load_heads(&i, ret);
	rc = load_lists(&i, ret);
	if (rc != 0)
		return rc;
	ret->title = keep(t, unquote(snap_issue_value(&i, SNAP_M_TITLE)));
	ret->commit = keep(t, unquote(snap_issue_value(&i, SNAP_M_COMMIT)));
	ret->state_reason = keep(t, unquote(snap_issue_value(&i, SNAP_M_STATE_REASON)));
	ret->existed = true;
	ret->old_flags = i.flags;
	snap_index_positions(ret, ret->old_pos);
	return t->err;
}

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
	return keep(t, buf_view(&t->text));
}

static struct slice
lower_name(struct snap_txn *t, struct slice raw)
{
	buf_reset(&t->text);
	utf8_lower(&t->text, raw);
	if (buf_err(&t->text) != 0)
		snap_txn_fail(t, buf_err(&t->text));
	return keep(t, buf_view(&t->text));
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
	case SNAP_M_COUNT:
		break;
	}
}

static void
add_members(const struct rendering *r)
{
	struct buf *b = r->b;

	for (unsigned m = 0; m < SNAP_M_COUNT; m++) {
		if (m > 0)
			buf_char(b, ',');
		if (buf_err(b) != 0)
			return;
		put_le32(b->ptr + SNAP_I_MEMBERS + (size_t)4 * m, (uint32_t)b->len);
		buf_char(b, '"');
		buf_str(b, snap_member_key((enum snap_member)m));
		buf_str(b, "\":");
		add_value(r, (enum snap_member)m);
	}
	if (buf_err(b) == 0)
		put_le32(
		    b->ptr + SNAP_I_MEMBERS + (size_t)4 * SNAP_M_COUNT, (uint32_t)b->len + 1);
}

static void
add_head(struct buf *b, const struct rendering *r)
{
	const struct snap_issue_edit *e = r->e;
	const int64_t wide[] = { e->created_ms, e->updated_ms, e->closed_ms, e->merged_ms,
		e->id, e->reporter, e->closed_by, e->milestone, e->comments_ms, e->events_ms,
		e->reviews_ms, e->commit_event, e->commit_ms };
	const uint32_t narrow[] = { e->comment_count, e->review_count, e->event_count,
		e->hub_comments, e->label_count, e->assignee_count };
	const char small[4] = { (char)r->derived.priority, (char)r->derived.type, 0, 0 };
	static const char members[4 * (SNAP_M_COUNT + 1)];

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

static bool
listed(uint32_t flags)
{
	return (flags & SNAP_ISSUE_NOT_EXIST) == 0;
}

/* Member by member: the bytes between them are anything. */
static bool
same_positions(const struct snap_list_pos *a, const struct snap_list_pos *b)
{
	for (size_t i = 0; i < SNAP_ORDERS; i++) {
		if (a[i].key != b[i].key || a[i].number != b[i].number)
			return false;
	}
	return true;
}

/* Indexes and counters: take the old entry out and the new one in, if they differ. */
static void
update_lists(struct snap_txn *t, const struct snap_issue_edit *e, uint32_t flags)
{
	struct snap_list_pos pos[SNAP_ORDERS];
	bool before = e->existed && listed(e->old_flags), after = listed(flags);
	bool same;

	snap_index_positions(e, pos);
	same = before && after && snap_class_of(e->old_flags) == snap_class_of(flags) &&
	       same_positions(pos, e->old_pos);
	if (same)
		return;
	if (before)
		t->deltas.counts[snap_class_of(e->old_flags)]--;
	if (after)
		t->deltas.counts[snap_class_of(flags)]++;
	if (t->writer->filling)
		return;
	if (before)
		snap_index_remove(t, e->old_flags, e->old_pos);
	if (after)
		snap_index_add(t, flags, pos);
}

void
snap_issue_edit_end(struct snap_txn *t, const struct snap_issue_edit *e)
{
	struct rendering r = { .t = t, .b = &t->row, .e = e };
	unsigned char key[4];

	if (t->err != 0)
		return;
	r.labels = named_labels(t, e);
	if (t->err == 0)
		derive(&r);
	if (t->err != 0)
		return;
	buf_reset(&t->row);
	add_head(&t->row, &r);
	add_members(&r);
	snap_put_row(t, SNAP_T_ISSUE, key, snap_key_number(e->number, key));
	update_lists(t, e, r.flags);
}

void
snap_body_put(struct snap_txn *t, uint32_t number, struct slice escaped)
{
	unsigned char key[4];
	size_t len = snap_key_number(number, key);

	if (escaped.len == 0) {
		snap_del(t, SNAP_T_ISSUE_BODY, key, len);
		return;
	}
	buf_reset(&t->row);
	add_quoted(&t->row, escaped);
	snap_put_row(t, SNAP_T_ISSUE_BODY, key, len);
}
