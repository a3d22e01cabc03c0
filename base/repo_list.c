/* repo_list.c - parsing the list, names in the cluster; no store and no sockets here. */
#include "base/repo_list.h"

#include <stdlib.h>
#include <strings.h>

#include "base/addr.h"
#include "base/json.h"
#include "base/mem.h"

#define BRANCH_MAX 255 /* git's own limit is the file system's */

static bool
is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '-';
}

bool
repo_part_ok(struct slice part)
{
	if (part.len == 0 || part.len > REPO_PART_MAX || slice_is(part, ".") ||
	    slice_is(part, ".."))
		return false;
	for (size_t i = 0; i < part.len; i++) {
		if (!is_name_char(part.ptr[i]))
			return false;
	}
	return true;
}

bool
repo_name_ok(const char *name)
{
	const char *slash = strchr(name, '/');

	return slash != NULL && repo_part_ok((struct slice){ name, (size_t)(slash - name) }) &&
	       repo_part_ok(slice_str(slash + 1));
}

/*
 * Parsing.
 */

struct reading {
	repo_list_note note;
	void *ctx;
	struct repo_list list;
	size_t *index; /* where in the document each item stood */
	struct buf text;
	int err;
};

static void
skip(struct reading *r, size_t index, const char *name, const char *why)
{
	if (r->note != NULL)
		r->note(r->ctx, index, name, why);
}

/* "owner/name" cut in two, or what is wrong with it. */
static const char *
check_name(const char *name, size_t len, size_t *ret_owner)
{
	const char *slash = memchr(name, '/', len);
	size_t owner = slash != NULL ? (size_t)(slash - name) : 0;

	if (slash == NULL)
		return "\"repo\" is not of the form owner/name";
	if (!repo_part_ok((struct slice){ name, owner }))
		return "the owner is not a GitHub name";
	if (!repo_part_ok((struct slice){ slash + 1, len - owner - 1 }))
		return "the repository is not a GitHub name";
	*ret_owner = owner;
	return NULL;
}

/* Texts are kept as offsets until the buffer has stopped moving. */
static void
keep(struct reading *r, size_t index, const char *name, size_t owner, const char *branch)
{
	struct repo_entry *e = &r->list.items[r->list.count];

	e->name = (const char *)(uintptr_t)r->text.len;
	buf_add(&r->text, name, strlen(name) + 1);
	e->default_branch = (const char *)(uintptr_t)r->text.len;
	buf_add(&r->text, branch, strlen(branch) + 1);
	e->owner_len = owner;
	r->index[r->list.count++] = index;
	if (r->err == 0)
		r->err = sha224_hex(slice_str(name), e->sha);
}

static void
read_entry(struct reading *r, size_t index, const json_t *v)
{
	const json_t *name = json_object_get(v, "repo");
	const json_t *tracking = json_object_get(v, "is_tracking_issues");
	const json_t *branch = json_object_get(v, "default_branch");
	const char *why = NULL;
	size_t owner = 0;

	if (!json_is_object(v))
		why = "the entry is not an object";
	else if (!json_is_string(name))
		why = "\"repo\" is missing or not a text";
	else if (tracking != NULL && !json_is_boolean(tracking) && !json_is_null(tracking))
		why = "\"is_tracking_issues\" is neither true nor false";
	else if (branch != NULL && !json_is_null(branch) &&
		 (!json_is_string(branch) || json_string_length(branch) > BRANCH_MAX ||
		     strlen(json_string_value(branch)) != json_string_length(branch)))
		why = "\"default_branch\" is not a branch's name";
	else
		why = check_name(json_string_value(name), json_string_length(name), &owner);
	if (why != NULL) {
		skip(r, index, json_is_string(name) ? json_string_value(name) : "", why);
		return;
	}
	if (json_is_true(tracking))
		keep(r, index, json_string_value(name), owner,
		    json_is_string(branch) ? json_string_value(branch) : "");
}

/*
 * Order: by name without case, and of equals the first in the document first.
 */

struct sortable {
	struct repo_entry entry;
	size_t index;
};

static int
by_name(const void *a, const void *b)
{
	const struct sortable *x = a, *y = b;
	int d = strcasecmp(x->entry.name, y->entry.name);

	return d != 0 ? d : x->index < y->index ? -1 : 1;
}

static void
drop_doubles(struct reading *r, const struct sortable *all)
{
	size_t n = 0;

	for (size_t i = 0; i < r->list.count; i++) {
		if (n > 0 && strcasecmp(r->list.items[n - 1].name, all[i].entry.name) == 0) {
			skip(r, all[i].index, all[i].entry.name,
			    "an entry before it is the same repository");
			continue;
		}
		r->list.items[n++] = all[i].entry;
	}
	r->list.count = n;
}

static int
sort_entries(struct reading *r)
{
	struct sortable *all = mem_calloc(r->list.count + 1, sizeof(*all));

	if (all == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < r->list.count; i++) {
		struct repo_entry *e = &r->list.items[i];

		e->name = r->list.text + (uintptr_t)e->name;
		e->default_branch = r->list.text + (uintptr_t)e->default_branch;
		all[i] = (struct sortable){ *e, r->index[i] };
	}
	qsort(all, r->list.count, sizeof(*all), by_name);
	drop_doubles(r, all);
	mem_free(all);
	return 0;
}

static int
read_entries(struct reading *r, const json_t *repos)
{
	size_t count = json_array_size(repos);

	r->list.items = mem_calloc(count + 1, sizeof(*r->list.items));
	r->index = mem_calloc(count + 1, sizeof(*r->index));
	if (r->list.items == NULL || r->index == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++)
		read_entry(r, i, json_array_get(repos, i));
	buf_char(&r->text, '\0'); /* an empty list has a text, too */
	if (r->err == 0)
		r->err = buf_err(&r->text);
	if (r->err != 0)
		return r->err;
	r->list.text = buf_take(&r->text, NULL);
	return r->list.text != NULL ? sort_entries(r) : ERR_NOMEM;
}

int
repo_list_parse(struct slice text, repo_list_note note, void *ctx, struct repo_list *ret,
    struct err_info *ei)
{
	struct reading r = { .note = note, .ctx = ctx };
	json_t *doc = NULL;
	const json_t *repos;
	int rc;

	if (text.len > REPO_LIST_BYTES_MAX)
		return err_set(ei, ERR_LIMIT, "repository list: longer than %zu bytes",
		    REPO_LIST_BYTES_MAX);
	rc = json_in_parse(text, "repository list", &doc, ei);
	if (rc != 0)
		return rc;
	buf_init(&r.text, 2 * REPO_LIST_BYTES_MAX);
	repos = json_object_get(doc, "repos");
	if (!json_is_array(repos))
		rc = err_set(ei, ERR_PROTO, "repository list: \"repos\" is not an array");
	else if (json_array_size(repos) > REPO_LIST_MAX)
		rc = err_set(
		    ei, ERR_LIMIT, "repository list: more than %d entries", REPO_LIST_MAX);
	else
		rc = read_entries(&r, repos);
	json_decref(doc);
	mem_free(r.index);
	buf_clear(&r.text);
	if (rc == 0)
		*ret = r.list;
	else
		repo_list_clear(&r.list);
	return rc;
}

void
repo_list_clear(struct repo_list *l)
{
	if (l == NULL)
		return;
	mem_free(l->items);
	mem_free(l->text);
	*l = (struct repo_list){ .items = NULL };
}

const struct repo_entry *
repo_list_find(const struct repo_list *l, struct slice owner, struct slice name)
{
	char key[REPO_NAME_MAX + 1];
	size_t low = 0, high = l->count;

	if (!repo_part_ok(owner) || !repo_part_ok(name))
		return NULL;
	memcpy(key, owner.ptr, owner.len);
	key[owner.len] = '/';
	memcpy(key + owner.len + 1, name.ptr, name.len);
	key[owner.len + 1 + name.len] = '\0';
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int d = strcasecmp(key, l->items[mid].name);

		if (d == 0)
			return &l->items[mid];
		if (d < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

/*
 * Templates.
 */

/* The word in braces at the start of `at`, or NULL; *ret_len with the braces. */
static const char *
word_value(const char *at, const struct repo_entry *e, size_t *ret_len, size_t *ret_bytes)
{
	static const char *const words[] = { "{sha}", "{owner}", "{repo}" };
	const char *values[] = { e->sha, e->name, e->name + e->owner_len + 1 };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strncmp(at, words[i], strlen(words[i])) != 0)
			continue;
		*ret_len = strlen(words[i]);
		*ret_bytes = i == 1 ? e->owner_len : strlen(values[i]);
		return values[i];
	}
	return NULL;
}

int
repo_template_fill(const char *text, const struct repo_entry *e, struct buf *out)
{
	while (*text != '\0') {
		size_t len = 1, bytes = 1;
		const char *value = word_value(text, e, &len, &bytes);

		buf_add(out, value != NULL ? value : text, bytes);
		text += len;
	}
	return buf_err(out);
}

/* Append what a usual repository makes of it; every brace of which was an unknown word's. */
static int
fill_usual(const char *text, struct buf *out, struct err_info *ei)
{
	struct repo_entry usual = { .name = "owner/name", .owner_len = 5 };
	int rc;

	memset(usual.sha, 'a', SHA224_HEX_LEN);
	rc = repo_template_fill(text, &usual, out);
	if (rc == 0 && buf_cstr(out) == NULL)
		rc = buf_err(out);
	if (rc == 0 && strpbrk(buf_cstr(out), "{}") != NULL)
		rc = err_set(ei, ERR_INVAL,
		    "\"%s\": only {sha}, {owner} and {repo} are filled in", text);
	return rc;
}

int
repo_template_words(const char *text, struct err_info *ei)
{
	struct buf b;
	int rc;

	buf_init(&b, (size_t)8 << 10);
	rc = fill_usual(text, &b, ei);
	buf_clear(&b);
	return rc;
}

int
repo_template_check(const char *text, struct err_info *ei)
{
	struct addr addr;
	struct buf b;
	int rc;

	buf_init(&b, (size_t)4 << 10);
	rc = fill_usual(text, &b, ei);
	if (rc == 0)
		rc = addr_parse(buf_cstr(&b), &addr, ei);
	buf_clear(&b);
	return rc;
}
