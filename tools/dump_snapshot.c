/* dump_snapshot.c - the content of a snapshot as JSON lines, in a stable order. */
#include <stdio.h>

#include "base/json_text.h"
#include "fcgi/json_issue.h"
#include "tools/dump.h"
#include "tools/dump_pick.h"

#define LINE_MAX_BYTES ((size_t)1 << 30)
#define ARENA_MAX ((size_t)256 << 20)

static const char *const families[] = { "issues", "comments", "events", "reviews", "labels",
	"milestones", "pulls", "review_comments" };

int
dump_line(struct buf *b, struct err_info *ei)
{
	buf_char(b, '\n');
	if (buf_err(b) != 0)
		return err_set(ei, buf_err(b), "a line: %s", err_name(buf_err(b)));
	if (fwrite(b->ptr, 1, b->len, stdout) != b->len)
		return err_set(ei, ERR_IO, "standard output cannot be written");
	buf_reset(b);
	return 0;
}

static int
print_repository(struct snap_view *v, struct buf *b, struct err_info *ei)
{
	struct snap_repo r;
	int rc = snap_repo_get(v, &r);

	if (rc != 0)
		return err_set(ei, rc, "table meta: %s", err_name(rc));
	buf_fmt(b,
	    "{\"type\":\"repository\",\"name\":\"%.*s\",\"issues\":%llu,\"comments\":%llu,"
	    "\"events\":%llu,\"reviews\":%llu,\"reviewComments\":%llu,\"logSegment\":%u,"
	    "\"logOffset\":%llu}",
	    (int)r.name.len, r.name.ptr,
	    (unsigned long long)(r.counts[0] + r.counts[1] + r.counts[2] + r.counts[3]),
	    (unsigned long long)r.comments, (unsigned long long)r.events,
	    (unsigned long long)r.reviews, (unsigned long long)r.review_comments, r.log_segment,
	    (unsigned long long)r.log_offset);
	return dump_line(b, ei);
}

static void
add_time(struct buf *b, int64_t ms)
{
	char text[TIME_TEXT_MAX];

	if (ms == TIME_NONE) {
		buf_str(b, "null");
		return;
	}
	time_format(ms, text);
	buf_fmt(b, "\"%s\"", text);
}

static int
print_families(struct snap_view *v, struct buf *b, struct err_info *ei)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		struct snap_sync s;
		int rc = snap_sync_get(v, slice_str(families[i]), &s);

		if (rc == ERR_NOENT)
			continue;
		if (rc != 0)
			return err_set(ei, rc, "table sync: %s", err_name(rc));
		buf_fmt(b,
		    "{\"type\":\"sync\",\"family\":\"%s\",\"complete\":%s,\"serverDate\":",
		    families[i], s.complete ? "true" : "false");
		add_time(b, s.server_date_ms);
		buf_str(b, ",\"watermark\":");
		add_time(b, s.watermark_ms);
		buf_char(b, '}');
		rc = dump_line(b, ei);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static void
add_escaped(struct buf *b, const char *key, struct slice text)
{
	buf_fmt(b, ",\"%s\":\"", key);
	buf_slice(b, text);
	buf_char(b, '"');
}

static int
print_labels(struct snap_view *v, struct buf *b, struct err_info *ei)
{
	struct snap_label l = { 0 };
	int rc;

	while ((rc = snap_label_next(v, l.id, &l)) == 0) {
		buf_fmt(b, "{\"type\":\"label\",\"id\":%lld", (long long)l.id);
		add_escaped(b, "name", l.name);
		add_escaped(b, "color", l.color);
		add_escaped(b, "description", l.description);
		buf_char(b, '}');
		rc = dump_line(b, ei);
		if (rc != 0)
			return rc;
	}
	return rc == ERR_NOENT ? 0 : err_set(ei, rc, "table label: %s", err_name(rc));
}

static void
add_milestone(struct buf *b, const struct snap_milestone *m)
{
	buf_fmt(b, "{\"type\":\"milestone\",\"id\":%lld,\"number\":%lld,\"closed\":%s",
	    (long long)m->id, (long long)m->number, m->closed ? "true" : "false");
	add_escaped(b, "title", m->title);
	add_escaped(b, "description", m->description);
	buf_str(b, ",\"createdAt\":");
	add_time(b, m->created_ms);
	buf_str(b, ",\"updatedAt\":");
	add_time(b, m->updated_ms);
	buf_str(b, ",\"closedAt\":");
	add_time(b, m->closed_ms);
	buf_str(b, ",\"dueOn\":");
	add_time(b, m->due_ms);
	buf_fmt(b, ",\"creatorId\":%lld}", (long long)m->creator);
}

static int
print_milestones(struct snap_view *v, struct buf *b, struct err_info *ei)
{
	struct snap_milestone m = { 0 };
	int rc;

	while ((rc = snap_milestone_next(v, m.id, &m)) == 0) {
		add_milestone(b, &m);
		rc = dump_line(b, ei);
		if (rc != 0)
			return rc;
	}
	return rc == ERR_NOENT ? 0 : err_set(ei, rc, "table milestone: %s", err_name(rc));
}

/* What is mirrored of the issue beside what the API shows. */
static int
add_other(struct snap_view *v, uint32_t number, struct buf *b)
{
	struct snap_other o;
	int rc = snap_other_get(v, number, &o);

	if (rc != 0)
		return rc;
	if (o.json.len > 0) {
		buf_str(b, ",\"otherJson\":");
		json_text_quote(b, o.json);
	}
	if (o.transferred_to.len > 0) {
		buf_str(b, ",\"transferredTo\":");
		json_text_quote(b, o.transferred_to);
	}
	return 0;
}

static int
add_events(struct snap_view *v, uint32_t number, struct buf *b)
{
	static const char *const others[4] = { "assignee", "assigner", "reviewer",
		"requester" };
	struct snap_walk w;
	struct snap_child c;
	bool first = true;
	int rc = snap_walk_begin(v, SNAP_EVENT, number, &w);

	while (rc == 0 && (rc = snap_walk_next(&w, &c)) == 0) {
		buf_str(b, first ? "{" : ",{");
		first = false;
		buf_slice(b, c.members);
		buf_fmt(b, ",\"actorId\":%lld", (long long)c.actor);
		for (size_t i = 0; i < 4; i++) {
			if (c.others[i] != 0)
				buf_fmt(b, ",\"%sId\":%lld", others[i], (long long)c.others[i]);
		}
		buf_char(b, '}');
	}
	return rc == ERR_NOENT ? 0 : rc;
}

/* `issue 7 open 2020-01-01T00:00:00Z "title"` */
static void
add_issue_text(const struct snap_issue *i, struct buf *b)
{
	char text[TIME_TEXT_MAX] = "-";

	if (snap_issue_updated_ms(i) != TIME_NONE)
		time_format(snap_issue_updated_ms(i), text);
	buf_fmt(b, "%s %u %s %s ", (i->flags & SNAP_ISSUE_PULL) != 0 ? "pull" : "issue",
	    i->number, (i->flags & SNAP_ISSUE_CLOSED) != 0 ? "closed" : "open", text);
	buf_slice(b, snap_issue_value(i, SNAP_M_TITLE));
}

static int
print_issue(const struct dump *d, struct snap_view *v, uint32_t number, struct arena *a,
    struct buf *b, struct err_info *ei)
{
	struct snap_issue i;
	int rc = snap_issue_get(v, number, &i);

	if (rc == 0 && !dump_wants_issue(d, &i))
		return 0;
	if (rc == 0 && d->text) {
		add_issue_text(&i, b);
		return dump_line(b, ei);
	}
	arena_reset(a);
	buf_str(b, "{\"type\":\"issue\",\"issue\":");
	if (rc == 0)
		rc = json_issue(v, &i,
		    FIELDS_DEFAULT | FIELD_BIT(FIELD_COMMENTS) | FIELD_BIT(FIELD_REVIEWS) |
			FIELD_BIT(FIELD_REVIEW_COMMENTS),
		    a, b);
	buf_str(b, ",\"events\":[");
	if (rc == 0)
		rc = add_events(v, number, b);
	buf_char(b, ']');
	if (rc == 0)
		rc = add_other(v, number, b);
	buf_char(b, '}');
	return rc != 0 ? err_set(ei, rc, "issue %u: %s", number, err_name(rc))
		       : dump_line(b, ei);
}

static int
print_issues(const struct dump *d, struct snap_view *v, struct buf *b, struct err_info *ei)
{
	struct snap_list_pos pos;
	struct snap_list list;
	struct arena a;
	int rc;

	arena_init(&a, ARENA_MAX);
	rc = snap_list_begin(v, SNAP_BY_NUMBER, false, SNAP_CLASS_ALL, NULL, &list);
	while (rc == 0 && (rc = snap_list_next(&list, &pos)) == 0)
		rc = print_issue(d, v, pos.number, &a, b, ei);
	arena_clear(&a);
	return rc == ERR_NOENT ? 0 : rc;
}

/* What is not an issue's; only as JSON. */
static int
print_parts(const struct dump *d, struct snap_view *v, struct buf *b, struct err_info *ei)
{
	static const struct {
		const char *type;
		int (*print)(struct snap_view *v, struct buf *b, struct err_info *ei);
	} parts[] = { { "repository", print_repository }, { "sync", print_families },
		{ "label", print_labels }, { "milestone", print_milestones } };
	int rc = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && rc == 0; i++) {
		if (dump_wants_type(d, parts[i].type) && (!d->text || d->type != NULL))
			rc = parts[i].print(v, b, ei);
	}
	return rc;
}

int
dump_snapshot(const struct dump *d, struct err_info *ei)
{
	struct snap_view *v;
	struct snap *s;
	struct buf b;
	int rc = snap_open(d->snapshot, &s, ei);

	if (rc != 0)
		return rc;
	buf_init(&b, LINE_MAX_BYTES);
	rc = snap_view_begin(s, &v);
	if (rc == 0) {
		rc = print_parts(d, v, &b, ei);
		if (rc == 0)
			rc = print_issues(d, v, &b, ei);
		snap_view_end(v);
	}
	snap_close(s);
	buf_clear(&b);
	return rc;
}
