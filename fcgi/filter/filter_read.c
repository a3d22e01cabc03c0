/*
 * filter_read.c - a field's value out of the snapshot, when an expression gets to it.
 *
 * Nothing is allocated but what must be made: texts with an escape in them, and lists.
 * An object is a pointer to what it is read from; a user is its id.
 */
#include <stdlib.h>

#include "fcgi/filter/filter_internal.h"

_Static_assert(sizeof(void *) >= sizeof(int64_t), "a user's id fits a pointer");

struct reading {
	struct filter_reader *r;
	const struct cel_value *object; /* NULL: the row's own */
	uint32_t which;
	struct arena *scratch;
};

typedef int (*source)(const struct reading *in, struct cel_value *ret);

/* --- texts as they stand in JSON --- */

/* The character of a four-digit escape, which may be half of a pair; 0 if it is none. */
static uint32_t
hex4(const char *p)
{
	char text[5];

	memcpy(text, p, 4);
	text[4] = '\0';
	return (uint32_t)strtoul(text, NULL, 16);
}

static size_t
put_utf8(char *out, uint32_t c)
{
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(lead[n] | c);
	return n;
}

/* A \u escape at p (behind the u); returns the bytes it used, 0 if it is broken. */
static size_t
unescape_u(const char *p, const char *end, char *out, size_t *ret_len)
{
	uint32_t c;
	size_t used = 4;

	if (end - p < 4)
		return 0;
	c = hex4(p);
	if (c >= 0xd800 && c < 0xdc00 && end - p >= 10 && p[4] == '\\' && p[5] == 'u') {
		c = 0x10000 + ((c - 0xd800) << 10) + (hex4(p + 6) & 0x3ff);
		used = 10;
	}
	*ret_len = put_utf8(out, c);
	return used;
}

/* One escape at p (behind the backslash); returns where to go on, NULL if it is broken. */
static const char *
unescape_one(const char *p, const char *end, char *out, size_t *ret_len)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *hit;
	size_t used;

	if (p == end)
		return NULL;
	if (*p == 'u') {
		used = unescape_u(p + 1, end, out, ret_len);
		return used > 0 ? p + 1 + used : NULL;
	}
	hit = memchr(from, *p, sizeof(from) - 1);
	if (hit == NULL)
		return NULL;
	*out = to[hit - from];
	*ret_len = 1;
	return p + 1;
}

static int
unescape(struct slice s, struct arena *scratch, struct cel_value *ret)
{
	const char *p = s.ptr, *end = s.ptr + s.len, *hit;
	char *out = arena_alloc(scratch, s.len); /* no escape is shorter than its text */
	size_t len = 0, n;

	if (out == NULL)
		return ERR_NOMEM;
	while ((hit = memchr(p, '\\', (size_t)(end - p))) != NULL) {
		memcpy(out + len, p, (size_t)(hit - p));
		len += (size_t)(hit - p);
		p = unescape_one(hit + 1, end, out + len, &n);
		if (p == NULL)
			return ERR_CORRUPT;
		len += n;
	}
	memcpy(out + len, p, (size_t)(end - p));
	*ret = cel_string((struct slice){ out, len + (size_t)(end - p) });
	return 0;
}

int
filter_unescape(struct slice json, struct arena *scratch, struct cel_value *ret)
{
	struct slice s = { json.ptr + 1, json.len - 2 };

	if (json.len < 2 || json.ptr[0] != '"') { /* null, or nothing */
		*ret = cel_string(SLICE(""));
		return 0;
	}
	if (s.len > 0 && memchr(s.ptr, '\\', s.len) != NULL)
		return unescape(s, scratch, ret);
	*ret = cel_string(s);
	return 0;
}

/* One past the text that begins with the quotation mark at `p`; NULL if it has no end. */
static const char *
skip_text(const char *p, const char *end)
{
	for (p++; p < end; p++) {
		if (*p == '\\')
			p++;
		else if (*p == '"')
			return p + 1;
	}
	return NULL;
}

static size_t
count_texts(struct slice json)
{
	const char *p = json.ptr, *end = json.ptr + json.len;
	size_t count = 0;

	while (p != NULL && (p = memchr(p, '"', (size_t)(end - p))) != NULL) {
		p = skip_text(p, end);
		count++;
	}
	return count;
}

/* ["a","b"] */
static int
read_texts(struct slice json, struct arena *scratch, struct cel_value *ret)
{
	size_t count = count_texts(json);
	struct cel_value *items = NULL;
	const char *p = json.ptr, *end = json.ptr + json.len, *stop;
	int rc = 0;

	if (count > 0)
		items = arena_alloc(scratch, count * sizeof(*items));
	if (count > 0 && items == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < count && rc == 0; i++) {
		p = memchr(p, '"', (size_t)(end - p));
		stop = skip_text(p, end);
		if (stop == NULL)
			return ERR_CORRUPT;
		rc = filter_unescape(
		    (struct slice){ p, (size_t)(stop - p) }, scratch, &items[i]);
		p = stop;
	}
	*ret =
	    (struct cel_value){ .kind = CEL_LIST, .aux = (uint32_t)count, .as.items = items };
	return rc;
}

static int64_t
read_number(struct slice json)
{
	int64_t n = 0;
	bool minus = json.len > 0 && json.ptr[0] == '-';

	for (size_t i = minus; i < json.len && json.ptr[i] >= '0' && json.ptr[i] <= '9'; i++)
		n = (int64_t)((uint64_t)n * 10 + (uint64_t)(json.ptr[i] - '0'));
	return minus ? (int64_t)(0 - (uint64_t)n) : n;
}

/* An object that stands at `json`, or none. */
static struct cel_value
json_object(struct slice json)
{
	bool is_object = json.len > 1 && json.ptr[0] == '{';

	return (struct cel_value){ .kind = CEL_OBJECT,
		.aux = is_object ? (uint32_t)json.len : 0,
		.as.object = is_object ? json.ptr : NULL };
}

/* The member of a JSON object; empty when it is not there. */
static struct slice
json_member(const struct cel_value *object, const char *key)
{
	struct slice found = { 0 };

	if (object->as.object != NULL)
		snap_member_find(
		    (struct slice){ (const char *)object->as.object + 1, object->aux - 2 }, key,
		    &found);
	return found;
}

/* --- scalars --- */

static struct cel_value
timestamp(int64_t ms)
{
	int64_t second = ms / 1000 - (ms % 1000 < 0);

	if (ms == TIME_NONE)
		return (struct cel_value){ .kind = CEL_NULL };
	return (struct cel_value){ .kind = CEL_TIMESTAMP,
		.aux = (uint32_t)(ms - second * 1000) * 1000000U,
		.as.i = second };
}

static struct cel_value
user_value(int64_t id)
{
	return (
	    struct cel_value){ .kind = CEL_OBJECT, .as.object = (const void *)(intptr_t)id };
}

static int
read_root(const struct reading *in, struct cel_value *ret)
{
	const struct filter_row *row = in->r->row;
	const void *of = in->which == ROOT_ISSUE   ? (const void *)row->issue
			 : in->which == ROOT_CHILD ? (const void *)row->child
						   : (const void *)row->repo;

	*ret = (struct cel_value){ .kind = CEL_OBJECT, .as.object = of };
	return 0;
}

static int
read_flag(const struct reading *in, struct cel_value *ret)
{
	bool set = (in->r->row->issue->flags & in->which) != 0;

	*ret = cel_bool(in->which == SNAP_ISSUE_PRIORITY_KNOWN ? !set : set);
	return 0;
}

static int
read_issue_number(const struct reading *in, struct cel_value *ret)
{
	*ret = cel_int(in->r->row->issue->number);
	return 0;
}

static int
read_time(const struct reading *in, struct cel_value *ret)
{
	const struct snap_issue *i = in->r->row->issue;
	int64_t ms = TIME_NONE;

	if (in->which == TIME_CREATED)
		ms = snap_issue_created_ms(i);
	else if (in->which == TIME_UPDATED)
		ms = snap_issue_updated_ms(i);
	else if (in->which == TIME_MERGED)
		ms = snap_issue_merged_ms(i);
	else if ((i->flags & SNAP_ISSUE_CLOSED) != 0) /* of an open one it is history */
		ms = snap_issue_closed_ms(i);
	*ret = timestamp(ms);
	return 0;
}

static int
read_now(const struct reading *in, struct cel_value *ret)
{
	*ret = timestamp(in->r->now_ms);
	return 0;
}

static int
read_count(const struct reading *in, struct cel_value *ret)
{
	const struct snap_repo *r = in->r->row->repo;
	const uint64_t *of = r->counts;
	const uint64_t counts[] = {
		[COUNT_ISSUES] = of[SNAP_CLASS_OPEN_ISSUE] + of[SNAP_CLASS_CLOSED_ISSUE],
		[COUNT_PULLS] = of[SNAP_CLASS_OPEN_PULL] + of[SNAP_CLASS_CLOSED_PULL],
		[COUNT_OPEN_ISSUES] = of[SNAP_CLASS_OPEN_ISSUE],
		[COUNT_OPEN_PULLS] = of[SNAP_CLASS_OPEN_PULL],
		[COUNT_COMMENTS] = r->comments,
		[COUNT_REVIEWS] = r->reviews,
		[COUNT_REVIEW_COMMENTS] = r->review_comments,
		[COUNT_EVENTS] = r->events,
	};

	*ret = cel_int((int64_t)counts[in->which]);
	return 0;
}

static int
read_repo_name(const struct reading *in, struct cel_value *ret)
{
	*ret = cel_string(in->r->row->repo->name);
	return 0;
}

/* --- members of the issue's row --- */

/* Before anything but the head of a row is read. */
static int
check_row(const struct reading *in)
{
	if (!in->r->unchecked)
		return 0;
	in->r->unchecked = false;
	return snap_issue_check(in->r->row->issue);
}

static struct slice
member(const struct reading *in)
{
	return snap_issue_value(in->r->row->issue, (enum snap_member)in->which);
}

static int
read_text(const struct reading *in, struct cel_value *ret)
{
	int rc = check_row(in);

	return rc == 0 ? filter_unescape(member(in), in->scratch, ret) : rc;
}

static int
read_text_list(const struct reading *in, struct cel_value *ret)
{
	int rc = check_row(in);

	return rc == 0 ? read_texts(member(in), in->scratch, ret) : rc;
}

static int
read_json(const struct reading *in, struct cel_value *ret)
{
	int rc = check_row(in);

	if (rc == 0)
		*ret = json_object(member(in));
	return rc;
}

static int
read_json_text(const struct reading *in, struct cel_value *ret)
{
	return filter_unescape(
	    json_member(in->object, filter_key(in->which)), in->scratch, ret);
}

static int
read_json_number(const struct reading *in, struct cel_value *ret)
{
	*ret = cel_int(read_number(json_member(in->object, filter_key(in->which))));
	return 0;
}

/* --- what is in other tables --- */

static int
read_body(const struct reading *in, struct cel_value *ret)
{
	struct slice json;
	int rc = check_row(in);

	if (rc == 0)
		rc = snap_issue_body(in->r->row->view, in->r->row->issue, &json);
	return rc == 0 ? filter_unescape(json, in->scratch, ret) : rc;
}

static int
read_user(const struct reading *in, struct cel_value *ret)
{
	const struct snap_issue *i = in->r->row->issue;

	*ret = user_value(in->which == USER_REPORTER    ? snap_issue_reporter(i)
			  : in->which == USER_CLOSED_BY ? snap_issue_closed_by(i)
							: snap_issue_merged_by(i));
	return 0;
}

static int
read_users(const struct reading *in, struct cel_value *ret)
{
	const struct snap_issue *i = in->r->row->issue;
	uint32_t count = in->which == 0 ? i->assignee_count : i->reviewer_count;
	struct cel_value *items = NULL;

	if (count > 0)
		items = arena_alloc(in->scratch, count * sizeof(*items));
	if (count > 0 && items == NULL)
		return ERR_NOMEM;
	for (uint32_t n = 0; n < count; n++)
		items[n] = user_value(
		    in->which == 0 ? snap_issue_assignee(i, n) : snap_issue_reviewer(i, n));
	*ret = (struct cel_value){ .kind = CEL_LIST, .aux = count, .as.items = items };
	return 0;
}

static int
read_user_id(const struct reading *in, struct cel_value *ret)
{
	*ret = cel_int((int64_t)(intptr_t)in->object->as.object);
	return 0;
}

static int
read_user_login(const struct reading *in, struct cel_value *ret)
{
	int64_t id = (int64_t)(intptr_t)in->object->as.object;
	struct slice login = { 0 };
	int rc = id != 0 ? snap_user_login(in->r->row->view, id, &login) : ERR_NOENT;

	if (rc != 0 && rc != ERR_NOENT)
		return rc;
	if (rc == 0 && memchr(login.ptr, '\\', login.len) != NULL)
		return unescape(login, in->scratch, ret);
	*ret = cel_string(login);
	return 0;
}

/* --- comments, reviews, events --- */

static int
gather_children(const struct reading *in, uint32_t count, struct cel_value *ret)
{
	enum snap_child_kind kind = (enum snap_child_kind)in->which;
	struct snap_child *all = arena_alloc(in->scratch, count * sizeof(*all));
	struct cel_value *items = arena_alloc(in->scratch, count * sizeof(*items));
	struct snap_walk w;
	uint32_t n = 0;
	int rc;

	if (all == NULL || items == NULL)
		return ERR_NOMEM;
	rc = snap_walk_begin(in->r->row->view, kind, in->r->row->issue->number, &w);
	while (rc == 0 && n < count) {
		rc = snap_walk_next(&w, &all[n]);
		if (rc != 0)
			break;
		items[n] = (struct cel_value){ .kind = CEL_OBJECT, .as.object = &all[n] };
		n++;
	}
	*ret = (struct cel_value){ .kind = CEL_LIST, .aux = n, .as.items = items };
	return rc == ERR_NOENT ? 0 : rc;
}

static int
read_children(const struct reading *in, struct cel_value *ret)
{
	const struct snap_issue *i = in->r->row->issue;
	uint32_t count = in->which == SNAP_COMMENT  ? snap_issue_comment_count(i)
			 : in->which == SNAP_REVIEW ? snap_issue_review_count(i)
						    : snap_issue_review_comment_count(i);

	*ret = (struct cel_value){ .kind = CEL_LIST };
	return count > 0 ? gather_children(in, count, ret) : 0;
}

static const struct snap_child *
child_of(const struct reading *in)
{
	return in->object != NULL ? in->object->as.object : in->r->row->child;
}

static int
read_child_id(const struct reading *in, struct cel_value *ret)
{
	*ret = cel_int(child_of(in)->id);
	return 0;
}

static int
read_child_time(const struct reading *in, struct cel_value *ret)
{
	const struct snap_child *c = child_of(in);

	*ret = timestamp(in->which == 0 ? c->created_ms : c->updated_ms);
	return 0;
}

static int
read_child_actor(const struct reading *in, struct cel_value *ret)
{
	const struct snap_child *c = child_of(in);

	*ret = user_value(in->which == 0 ? c->actor : c->others[in->which - 1]);
	return 0;
}

static struct slice
child_member(const struct reading *in)
{
	struct slice found = { 0 };

	snap_member_find(child_of(in)->members, filter_key(in->which), &found);
	return found;
}

static int
read_child_text(const struct reading *in, struct cel_value *ret)
{
	return filter_unescape(child_member(in), in->scratch, ret);
}

static int
read_child_number(const struct reading *in, struct cel_value *ret)
{
	*ret = cel_int(read_number(child_member(in)));
	return 0;
}

static int
read_child_json(const struct reading *in, struct cel_value *ret)
{
	*ret = json_object(child_member(in));
	return 0;
}

int
filter_read(void *reader, const struct cel_value *object, uint32_t field, struct arena *scratch,
    struct cel_value *ret)
{
	static const source sources[FROM_SOURCES] = {
		[FROM_ROOT] = read_root,
		[FROM_FLAG] = read_flag,
		[FROM_NUMBER] = read_issue_number,
		[FROM_TIME] = read_time,
		[FROM_TEXT] = read_text,
		[FROM_TEXTS] = read_text_list,
		[FROM_JSON] = read_json,
		[FROM_USER] = read_user,
		[FROM_USERS] = read_users,
		[FROM_BODY] = read_body,
		[FROM_CHILDREN] = read_children,
		[FROM_USER_ID] = read_user_id,
		[FROM_USER_LOGIN] = read_user_login,
		[FROM_JSON_TEXT] = read_json_text,
		[FROM_JSON_NUMBER] = read_json_number,
		[FROM_CHILD_ID] = read_child_id,
		[FROM_CHILD_TIME] = read_child_time,
		[FROM_CHILD_ACTOR] = read_child_actor,
		[FROM_CHILD_TEXT] = read_child_text,
		[FROM_CHILD_NUMBER] = read_child_number,
		[FROM_CHILD_JSON] = read_child_json,
		[FROM_COUNT] = read_count,
		[FROM_REPO_NAME] = read_repo_name,
		[FROM_NOW] = read_now,
	};
	const struct reading in = { reader, object, field & 0xffff, scratch };

	return sources[field >> 16](&in, ret);
}
