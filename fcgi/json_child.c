/* json_child.c - small objects: stored members are copied, users are joined by id. */
#include "fcgi/json_child.h"

int
json_user(struct snap_view *v, int64_t id, struct buf *out)
{
	int rc;

	if (id == 0) {
		buf_str(out, "null");
		return 0;
	}
	rc = snap_user_add(v, id, out);
	if (rc == ERR_NOENT) /* known by id only */
		buf_fmt(out, "{\"id\":%lld,\"login\":\"\"}", (long long)id);
	return rc == ERR_NOENT ? 0 : rc;
}

/* Like the texts of an event, those that it concerns are there only if it has them. */
static int
add_concerned(struct snap_view *v, const struct snap_child *c, struct buf *out)
{
	static const char *const keys[] = { "assignee", "assigner", "reviewer",
		"reviewRequester" };
	int rc = 0;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]) && rc == 0; i++) {
		if (c->others[i] == 0)
			continue;
		buf_fmt(out, ",\"%s\":", keys[i]);
		rc = json_user(v, c->others[i], out);
	}
	return rc;
}

int
json_child(
    struct snap_view *v, enum snap_child_kind kind, const struct snap_child *c, struct buf *out)
{
	bool acts = kind == SNAP_REVIEW || kind == SNAP_EVENT;
	int rc;

	buf_char(out, '{');
	buf_slice(out, c->members);
	buf_str(out, acts ? ",\"actor\":" : ",\"user\":");
	rc = json_user(v, c->actor, out);
	if (rc == 0 && kind == SNAP_EVENT)
		rc = add_concerned(v, c, out);
	buf_char(out, '}');
	return rc;
}

void
json_time(int64_t ms, struct buf *out)
{
	char text[TIME_TEXT_MAX];

	if (ms == TIME_NONE) {
		buf_str(out, "null");
		return;
	}
	time_format(ms, text);
	buf_fmt(out, "\"%s\"", text);
}

static void
add_text(struct buf *out, const char *key, struct slice escaped)
{
	buf_fmt(out, ",\"%s\":\"", key);
	buf_slice(out, escaped);
	buf_char(out, '"');
}

void
json_label(const struct snap_label *l, struct buf *out)
{
	buf_fmt(out, "{\"id\":%lld", (long long)l->id);
	add_text(out, "name", l->name);
	add_text(out, "color", l->color);
	add_text(out, "description", l->description);
	buf_char(out, '}');
}

int
json_milestone(struct snap_view *v, const struct snap_milestone *m, struct buf *out)
{
	const struct {
		const char *key;
		int64_t ms;
	} times[] = { { "createdAt", m->created_ms }, { "updatedAt", m->updated_ms },
		{ "closedAt", m->closed ? m->closed_ms : TIME_NONE }, { "dueOn", m->due_ms } };
	int rc;

	buf_fmt(out, "{\"id\":%lld,\"number\":%lld", (long long)m->id, (long long)m->number);
	add_text(out, "title", m->title);
	add_text(out, "description", m->description);
	buf_fmt(out, ",\"closed\":%s", m->closed ? "true" : "false");
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		buf_fmt(out, ",\"%s\":", times[i].key);
		json_time(times[i].ms, out);
	}
	buf_str(out, ",\"creator\":");
	rc = json_user(v, m->creator, out);
	buf_char(out, '}');
	return rc;
}
