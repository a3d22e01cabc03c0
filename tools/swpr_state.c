/* swpr_state.c - see swpr_state.h; no store, no clock, no sockets. */
#include "tools/swpr_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/json.h"
#include "base/json_text.h"
#include "base/mem.h"

#define STATE_VERSION 1

/* --- repositories --- */

void
swpr_listing_reset(struct swpr_listing *l)
{
	swpr_numbers_clear(&l->seen);
	l->part[0] = l->next[0] = '\0';
}

void
swpr_state_clear(struct swpr_state *s)
{
	for (size_t i = 0; i < s->count; i++) {
		swpr_listing_reset(&s->repos[i]->listing);
		mem_free(s->repos[i]->missing);
		mem_free(s->repos[i]);
	}
	mem_free(s->repos);
	*s = (struct swpr_state){ .repos = NULL };
}

/* Where it is, or belongs. */
static size_t
place_of_repo(const struct swpr_state *s, const char *name)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcasecmp(s->repos[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int
grow(struct swpr_state *s)
{
	size_t cap = s->cap == 0 ? 16 : 2 * s->cap;
	struct swpr_repo_state **repos;

	if (s->count < s->cap)
		return 0;
	repos = mem_realloc(s->repos, cap * sizeof(struct swpr_repo_state *));
	if (repos == NULL)
		return ERR_NOMEM;
	s->repos = repos;
	s->cap = cap;
	return 0;
}

struct swpr_repo_state *
swpr_state_repo(struct swpr_state *s, const char *name)
{
	size_t place = place_of_repo(s, name);
	struct swpr_repo_state *r;

	if (place < s->count && strcasecmp(s->repos[place]->name, name) == 0)
		return s->repos[place];
	if (grow(s) != 0)
		return NULL;
	r = mem_zalloc(sizeof(*r));
	if (r == NULL)
		return NULL;
	snprintf(r->name, sizeof(r->name), "%s", name);
	memmove(&s->repos[place + 1], &s->repos[place],
	    (s->count - place) * sizeof(struct swpr_repo_state *));
	s->repos[place] = r;
	s->count++;
	return r;
}

/* --- missing numbers --- */

/*
 * A number that comes or goes alone moves all behind it, which is little beside the question
 * to GitHub that it takes; what concerns many goes through all of them once.
 */

/* Where it is, or belongs. */
static size_t
place_of(const struct swpr_repo_state *r, uint32_t number)
{
	size_t low = 0, high = r->missing_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->missing[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
is_at(const struct swpr_repo_state *r, size_t place, uint32_t number)
{
	return place < r->missing_count && r->missing[place].number == number;
}

bool
swpr_state_is_missing(const struct swpr_repo_state *r, uint32_t number)
{
	return is_at(r, place_of(r, number), number);
}

static void
forget_one(struct swpr_repo_state *r, uint32_t number)
{
	size_t place = place_of(r, number);

	if (!is_at(r, place, number))
		return;
	r->missing_count--;
	memmove(&r->missing[place], &r->missing[place + 1],
	    (r->missing_count - place) * sizeof(*r->missing));
}

/* Both are sorted. */
static void
keep_those(struct swpr_repo_state *r, const struct swpr_numbers *numbers, bool in_it)
{
	size_t kept = 0, j = 0;

	for (size_t i = 0; i < r->missing_count; i++) {
		uint32_t number = r->missing[i].number;

		while (j < numbers->count && numbers->items[j] < number)
			j++;
		if ((j < numbers->count && numbers->items[j] == number) == in_it)
			r->missing[kept++] = r->missing[i];
	}
	r->missing_count = kept;
}

void
swpr_state_forget(struct swpr_repo_state *r, const struct swpr_numbers *numbers)
{
	keep_those(r, numbers, false);
}

void
swpr_state_prune(struct swpr_repo_state *r, const struct swpr_numbers *candidates)
{
	keep_those(r, candidates, true);
}

static int
insert_missing(struct swpr_repo_state *r, size_t place, struct swpr_missing m)
{
	if (r->missing_count == SWPR_MISSING_MAX)
		return ERR_LIMIT;
	if (r->missing_count == r->missing_cap) {
		size_t cap = r->missing_cap == 0 ? 16 : 2 * r->missing_cap;
		struct swpr_missing *items = mem_realloc(r->missing, cap * sizeof(*items));

		if (items == NULL)
			return ERR_NOMEM;
		r->missing = items;
		r->missing_cap = cap;
	}
	memmove(&r->missing[place + 1], &r->missing[place],
	    (r->missing_count - place) * sizeof(*r->missing));
	r->missing[place] = m;
	r->missing_count++;
	return 0;
}

/* The first time, or the clock was set back, which makes what was noted worthless. */
static int
note_not_found(struct swpr_repo_state *r, uint32_t number, int64_t now_ms, int64_t confirm_ms,
    enum swpr_verdict *ret)
{
	size_t place = place_of(r, number);
	struct swpr_missing *m;

	if (!is_at(r, place, number)) {
		*ret = SWPR_WAIT;
		return insert_missing(
		    r, place, (struct swpr_missing){ number, now_ms, now_ms });
	}
	m = &r->missing[place];
	if (now_ms < m->last_ms)
		m->first_ms = now_ms;
	m->last_ms = now_ms;
	*ret = now_ms - m->first_ms >= confirm_ms ? SWPR_BURY : SWPR_WAIT;
	return 0;
}

int
swpr_state_observe(struct swpr_repo_state *r, uint32_t number, enum swpr_sight sight,
    int64_t now_ms, int64_t confirm_ms, enum swpr_verdict *ret)
{
	switch (sight) {
	case SWPR_PRESENT:
		forget_one(r, number);
		*ret = SWPR_KEEP;
		return 0;
	case SWPR_NOT_FOUND:
		return note_not_found(r, number, now_ms, confirm_ms, ret);
	case SWPR_GONE:
	case SWPR_MOVED:
		break;
	}
	*ret = SWPR_BURY;
	return 0;
}

/* --- reading --- */

static bool
is_time(const json_t *v)
{
	return json_is_integer(v) && json_integer_value(v) >= 0;
}

static int
by_number(const void *a, const void *b)
{
	const struct swpr_missing *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

/* A document may have them in any order, but each once. */
static bool
sort_missing(struct swpr_repo_state *r)
{
	if (r->missing_count == 0)
		return true;
	qsort(r->missing, r->missing_count, sizeof(*r->missing), by_number);
	for (size_t i = 1; i < r->missing_count; i++) {
		if (r->missing[i].number == r->missing[i - 1].number)
			return false;
	}
	return true;
}

static int
read_missing(const json_t *list, struct swpr_repo_state *r, const char **ret_problem)
{
	size_t count = json_array_size(list);
	int rc = 0;

	if (list != NULL && !json_is_array(list))
		*ret_problem = "\"missing\" is not an array";
	for (size_t i = 0; i < count && rc == 0 && *ret_problem == NULL; i++) {
		const json_t *v = json_array_get(list, i);
		json_int_t n = json_integer_value(json_array_get(v, 0));
		const json_t *first = json_array_get(v, 1), *last = json_array_get(v, 2);

		if (json_array_size(v) != 3 || n < 1 || n > INT32_MAX || !is_time(first) ||
		    !is_time(last) || json_integer_value(last) < json_integer_value(first))
			*ret_problem = "an element of \"missing\" is not [number,first,last]";
		else
			rc = insert_missing(r, r->missing_count,
			    (struct swpr_missing){ (uint32_t)n, json_integer_value(first),
				json_integer_value(last) });
	}
	if (rc == 0 && *ret_problem == NULL && !sort_missing(r))
		*ret_problem = "a number is twice in \"missing\"";
	return rc;
}

static bool
copy_text(char *out, size_t size, const json_t *v)
{
	if (!json_is_string(v) || json_string_length(v) >= size ||
	    strlen(json_string_value(v)) != json_string_length(v))
		return false;
	snprintf(out, size, "%s", json_string_value(v));
	return true;
}

static int
read_listing(const json_t *v, struct swpr_listing *ret, const char **ret_problem)
{
	const char *seen = json_string_value(json_object_get(v, "seen"));
	int rc;

	if (v == NULL)
		return 0;
	if (!copy_text(ret->part, sizeof(ret->part), json_object_get(v, "part")) ||
	    !copy_text(ret->next, sizeof(ret->next), json_object_get(v, "next")) ||
	    seen == NULL) {
		*ret_problem = "\"listing\" lacks part, next or seen";
		return 0;
	}
	rc = swpr_numbers_parse(seen, &ret->seen);
	if (rc == ERR_PROTO)
		*ret_problem = "\"seen\" is not of the form 1-7,9";
	return rc == ERR_PROTO ? 0 : rc;
}

static int
read_repo(const json_t *v, size_t index, struct swpr_state *s, struct err_info *ei)
{
	const char *name = json_string_value(json_object_get(v, "repo"));
	const json_t *swept = json_object_get(v, "sweptMs");
	const char *problem = NULL;
	struct swpr_repo_state *r;
	size_t before = s->count;
	int rc = 0;

	if (name == NULL || strlen(name) > REPO_NAME_MAX || strchr(name, '/') == NULL)
		problem = "\"repo\" is not of the form owner/name";
	else if (!is_time(swept))
		problem = "\"sweptMs\" is not a time";
	if (problem == NULL) {
		r = swpr_state_repo(s, name);
		if (r == NULL)
			return ERR_NOMEM;
		if (s->count == before)
			problem = "the repository is there twice";
		else
			rc = read_missing(json_object_get(v, "missing"), r, &problem);
		r->swept_ms = json_integer_value(swept);
		if (rc == 0 && problem == NULL)
			rc = read_listing(json_object_get(v, "listing"), &r->listing, &problem);
	}
	if (problem != NULL)
		rc = err_set(
		    ei, ERR_PROTO, "sweep state: element %zu of repos: %s", index, problem);
	return rc;
}

static int
read_document(const json_t *doc, struct swpr_state *s, struct err_info *ei)
{
	const json_t *version = json_object_get(doc, "version");
	const json_t *started = json_object_get(doc, "runStartedMs");
	const json_t *repos = json_object_get(doc, "repos");
	int rc = 0;

	if (!json_is_integer(version))
		return err_set(ei, ERR_PROTO, "sweep state: \"version\" is not a number");
	if (json_integer_value(version) != STATE_VERSION)
		return err_set(ei, ERR_VERSION,
		    "sweep state: version %" JSON_INTEGER_FORMAT
		    ", and this program knows version %d",
		    json_integer_value(version), STATE_VERSION);
	if (!is_time(started))
		return err_set(ei, ERR_PROTO, "sweep state: \"runStartedMs\" is not a time");
	if (!json_is_array(repos))
		return err_set(ei, ERR_PROTO, "sweep state: \"repos\" is not an array");
	if (json_array_size(repos) > REPO_LIST_MAX)
		return err_set(
		    ei, ERR_LIMIT, "sweep state: more than %d repositories", REPO_LIST_MAX);
	s->run_started_ms = json_integer_value(started);
	for (size_t i = 0; i < json_array_size(repos) && rc == 0; i++)
		rc = read_repo(json_array_get(repos, i), i, s, ei);
	return rc;
}

int
swpr_state_parse(struct slice text, struct swpr_state *ret, struct err_info *ei)
{
	struct swpr_state s = { .repos = NULL };
	json_t *doc = NULL;
	int rc;

	if (text.len > SWPR_STATE_BYTES_MAX)
		return err_set(
		    ei, ERR_LIMIT, "sweep state: longer than %zu bytes", SWPR_STATE_BYTES_MAX);
	rc = json_in_parse(text, "sweep state", &doc, ei);
	if (rc != 0)
		return rc;
	rc = read_document(doc, &s, ei);
	json_decref(doc);
	if (rc == 0)
		*ret = s;
	else
		swpr_state_clear(&s);
	return rc;
}

/* --- writing --- */

static void
format_listing(const struct swpr_listing *l, struct buf *out)
{
	buf_str(out, ",\"listing\":{\"part\":");
	json_text_quote(out, slice_str(l->part));
	buf_str(out, ",\"next\":");
	json_text_quote(out, slice_str(l->next));
	buf_str(out, ",\"seen\":\"");
	swpr_numbers_format(&l->seen, out);
	buf_str(out, "\"}");
}

static void
format_repo(const struct swpr_repo_state *r, struct buf *out)
{
	buf_str(out, "{\"repo\":");
	json_text_quote(out, slice_str(r->name));
	buf_fmt(out, ",\"sweptMs\":%" PRId64 ",\"missing\":[", r->swept_ms);
	for (size_t i = 0; i < r->missing_count; i++)
		buf_fmt(out, "%s[%" PRIu32 ",%" PRId64 ",%" PRId64 "]", i == 0 ? "" : ",",
		    r->missing[i].number, r->missing[i].first_ms, r->missing[i].last_ms);
	buf_str(out, "]");
	if (r->listing.part[0] != '\0')
		format_listing(&r->listing, out);
	buf_str(out, "}");
}

void
swpr_state_format(const struct swpr_state *s, struct buf *out)
{
	bool first = true;

	buf_fmt(out, "{\"version\":%d,\"runStartedMs\":%" PRId64 ",\"repos\":[", STATE_VERSION,
	    s->run_started_ms);
	for (size_t i = 0; i < s->count; i++) {
		const struct swpr_repo_state *r = s->repos[i];

		if (r->swept_ms == 0 && r->missing_count == 0 && r->listing.part[0] == '\0')
			continue;
		buf_str(out, first ? "\n" : ",\n");
		format_repo(r, out);
		first = false;
	}
	buf_str(out, "]}\n");
}
