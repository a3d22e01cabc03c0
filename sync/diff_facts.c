/* diff_facts.c - what several of GitHub's objects have: reactions, members without a name. */
#include <stdlib.h>
#include <string.h>

#include "lmdb-schema/snap_write.h"
#include "sync/diff_internal.h"

/* --- reactions --- */

static uint32_t
count(struct json_in *in, const json_t *obj, const char *member)
{
	int64_t n = json_in_opt_i64(in, obj, member);

	if (n >= 0 && n <= INT32_MAX)
		return (uint32_t)n;
	json_in_fail(in, member, "is out of range");
	return 0;
}

static Maintpb__GithubReactions *
reactions_message(struct diff *d, const struct snap_reactions *r)
{
	Maintpb__GithubReactions *m = DIFF_NEW(d, Maintpb__GithubReactions);

	if (m == NULL)
		return NULL;
	maintpb__github_reactions__init(m);
	m->total_count = (int32_t)r->total;
	m->plus_one = (int32_t)r->kinds[0];
	m->minus_one = (int32_t)r->kinds[1];
	m->laugh = (int32_t)r->kinds[2];
	m->hooray = (int32_t)r->kinds[3];
	m->confused = (int32_t)r->kinds[4];
	m->heart = (int32_t)r->kinds[5];
	m->rocket = (int32_t)r->kinds[6];
	m->eyes = (int32_t)r->kinds[7];
	return m;
}

int
diff_reactions(struct diff *d, struct json_in *in, const json_t *obj, struct slice stored,
    bool all, Maintpb__GithubReactions **ret)
{
	static const char *const names[SNAP_REACTION_KINDS] = { "+1", "-1", "laugh", "hooray",
		"confused", "heart", "rocket", "eyes" };
	static const struct snap_reactions none;
	struct snap_reactions r = { 0 };
	json_t *json = json_in_opt_object(in, obj, "reactions");

	*ret = NULL;
	if (json == NULL)
		return 0;
	r.total = count(in, json, "total_count");
	for (size_t i = 0; i < SNAP_REACTION_KINDS; i++)
		r.kinds[i] = count(in, json, names[i]);
	if (in->err != 0)
		return in->err;
	if (stored.len == 0 && memcmp(&r, &none, sizeof(r)) == 0)
		return 0;
	buf_reset(&d->text);
	snap_reactions_render(&d->text, &r, all);
	if (buf_err(&d->text) != 0)
		return buf_err(&d->text);
	if (slice_eq(buf_view(&d->text), stored))
		return 0;
	*ret = reactions_message(d, &r);
	return *ret == NULL ? ERR_NOMEM : 0;
}

/* --- members without a name --- */

static bool
ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && strcmp(text + len - n, end) == 0;
}

/* Null, empty and absent are the same. */
static bool
is_empty(const json_t *v)
{
	return v == NULL || json_is_null(v) ||
	       (json_is_string(v) && json_string_length(v) == 0) ||
	       (json_is_array(v) && json_array_size(v) == 0) ||
	       (json_is_object(v) && json_object_size(v) == 0);
}

/* Every issue has summaries, most of them of nothing: all counts are 0. */
static bool
is_idle_summary(const char *key, const json_t *v)
{
	const char *name;
	json_t *n;

	if (!ends_with(key, "_summary") || !json_is_object(v))
		return false;
	json_object_foreach((json_t *)(uintptr_t)v, name, n)
	{
		if (!json_is_integer(n) || json_integer_value(n) != 0)
			return false;
	}
	return true;
}

static json_t *reduced(const json_t *v);

/* Objects with only the members in `names`. */
static json_t *
picked(const json_t *v, const char *const *names, size_t count)
{
	json_t *out = json_object();

	for (size_t i = 0; i < count; i++) {
		json_t *member = json_object_get(v, names[i]);

		if (!is_empty(member) && json_object_set(out, names[i], member) != 0) {
			json_decref(out);
			return NULL;
		}
	}
	return out;
}

static json_t *
reduced_object(const json_t *v)
{
	static const char *const person[] = { "id", "login" };
	json_t *out, *member;
	const char *key;

	if (json_object_get(v, "login") != NULL && json_object_get(v, "id") != NULL)
		return picked(v, person, 2);
	out = json_object();
	json_object_foreach((json_t *)(uintptr_t)v, key, member)
	{
		json_t *r;

		if (strcmp(key, "node_id") == 0 || strcmp(key, "url") == 0 ||
		    ends_with(key, "_url"))
			continue;
		r = reduced(member);
		if (r != NULL && is_empty(r)) {
			json_decref(r);
		} else if (json_object_set_new(out, key, r) != 0) { /* NULL fails, too */
			json_decref(out);
			return NULL;
		}
	}
	return out;
}

static json_t *
reduced_array(const json_t *v)
{
	json_t *out = json_array(), *member;
	size_t i;

	json_array_foreach(v, i, member)
	{
		if (json_array_append_new(out, reduced(member)) != 0) {
			json_decref(out);
			return NULL;
		}
	}
	return out;
}

/* Without addresses and node ids; of people, who they are.  New reference. */
static json_t *
reduced(const json_t *v)
{
	if (json_is_object(v))
		return reduced_object(v);
	if (json_is_array(v))
		return reduced_array(v);
	return json_incref((json_t *)(uintptr_t)v);
}

static json_t *
reduced_member(const char *key, const json_t *v)
{
	static const char *const app[] = { "id", "slug", "name" };

	/* An app comes with its owner and all that it may do, here and elsewhere. */
	if (strcmp(key, "performed_via_github_app") == 0 && json_is_object(v))
		return picked(v, app, 3);
	return reduced(v);
}

static bool
is_known(const char *key, struct diff_names known)
{
	for (size_t i = 0; i < known.count; i++) {
		if (strcmp(key, known.names[i]) == 0)
			return true;
	}
	return false;
}

json_t *
diff_unnamed(const json_t *obj, struct diff_names known)
{
	json_t *out = json_object(), *v;
	const char *key;

	json_object_foreach((json_t *)(uintptr_t)obj, key, v)
	{
		json_t *r;

		if (is_empty(v) || is_known(key, known) || is_idle_summary(key, v))
			continue;
		r = reduced_member(key, v);
		if (r != NULL && is_empty(r)) {
			json_decref(r);
		} else if (json_object_set_new(out, key, r) != 0) {
			json_decref(out);
			return NULL;
		}
	}
	return out;
}

int
diff_dump(struct diff *d, const json_t *obj, ProtobufCBinaryData *ret)
{
	char *text, *copy;

	*ret = (ProtobufCBinaryData){ 0 };
	if (obj == NULL)
		return ERR_NOMEM;
	if (json_object_size(obj) == 0)
		return 0;
	text = json_dumps(obj, JSON_COMPACT | JSON_SORT_KEYS);
	if (text == NULL)
		return ERR_NOMEM;
	copy = arena_dup(d->arena, slice_str(text));
	if (copy != NULL)
		*ret = (ProtobufCBinaryData){ .len = strlen(text), .data = (uint8_t *)copy };
	free(text);
	return copy == NULL ? ERR_NOMEM : 0;
}

int
diff_other(struct diff *d, const json_t *obj, struct diff_names known, ProtobufCBinaryData *ret)
{
	json_t *rest = diff_unnamed(obj, known);
	int rc = diff_dump(d, rest, ret);

	json_decref(rest);
	return rc;
}

static void
say_empty(ProtobufCBinaryData *now)
{
	static uint8_t empty[] = "{}"; /* an unset field would mean: as before */

	if (now->len == 0)
		*now = (ProtobufCBinaryData){ .len = 2, .data = empty };
}

bool
diff_other_differs(struct diff *d, struct slice stored, ProtobufCBinaryData *now)
{
	if (diff_same_text(d, now->len == 0 ? "" : (const char *)now->data, stored))
		return false;
	say_empty(now);
	return true;
}

/* `part` with what `doc` holds for the other half; both are given away. */
static json_t *
with_pull_of(json_t *doc, json_t *part)
{
	json_t *pull = json_object_get(doc, "pull");
	int rc = 0;

	/* A member of that name in an issue would be taken for the other half. */
	(void)json_object_del(part, "pull");
	if (pull != NULL)
		rc = json_object_set(part, "pull", pull);
	json_decref(doc);
	if (rc == 0)
		return part;
	json_decref(part);
	return NULL;
}

/* `doc` with `part` as its member `half`; both are given away. */
static json_t *
with_member(json_t *doc, const char *half, json_t *part)
{
	if (!json_is_object(doc)) {
		json_decref(doc);
		doc = json_object();
	}
	if (json_object_size(part) == 0) {
		json_decref(part);
		(void)json_object_del(doc, half);
	} else if (json_object_set_new(doc, half, part) != 0) {
		json_decref(doc);
		return NULL;
	}
	return doc;
}

/* NULL for what is no JSON (a log may hold anything): it is written anew. */
static int
parse_stored(struct slice json, json_t **ret)
{
	json_error_t e;

	if (json.len == 0)
		return 0;
	*ret = json_loadb(json.ptr, json.len, 0, &e);
	return *ret == NULL && json_error_code(&e) == json_error_out_of_memory ? ERR_NOMEM : 0;
}

int
diff_other_half(
    struct diff *d, uint32_t number, const char *half, json_t *part, ProtobufCBinaryData *ret)
{
	json_t *doc = NULL;
	struct snap_other stored;
	int rc = snap_other_get(d->view, number, &stored);

	*ret = (ProtobufCBinaryData){ 0 };
	if (rc == 0 && part == NULL)
		rc = ERR_NOMEM;
	if (rc == 0)
		rc = parse_stored(stored.json, &doc);
	if (rc != 0 || (stored.json.len == 0 && json_object_size(part) == 0)) {
		json_decref(part);
		return rc;
	}
	doc = half == NULL ? with_pull_of(doc, part) : with_member(doc, half, part);
	rc = diff_dump(d, doc, ret);
	json_decref(doc);
	if (rc != 0)
		return rc;
	if (slice_eq((struct slice){ (const char *)ret->data, ret->len }, stored.json))
		*ret = (ProtobufCBinaryData){ 0 };
	else
		say_empty(ret);
	return 0;
}
