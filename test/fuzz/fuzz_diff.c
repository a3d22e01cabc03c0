/*
 * fuzz_diff.c - GitHub's JSON: whatever is taken as an answer, applied, says the same when
 * it comes again.  The first byte chooses the kind of answer, the rest is its JSON.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/apply.h"
#include "sync/diff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NUMBER 7

static char owner[] = "acme", repo[] = "widgets";

/* Opened once: every input works in a transaction that is dropped. */
static struct snap_writer *writer;
static char dir[] = "/tmp/fuzz-diff-XXXXXX";

static void
clean_up(void)
{
	char command[64];

	snap_writer_close(writer);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	if (system(command) != 0)
		perror(dir);
}

static void
set_up(void)
{
	bool unclean;

	if (mkdtemp(dir) == NULL ||
	    snap_writer_open(dir, "acme/widgets", 0, &writer, &unclean, NULL) != 0)
		abort();
	atexit(clean_up);
}

static int
diff_kind(struct diff *d, char kind, const json_t *doc, Maintpb__Mutation **ret)
{
	switch (kind) {
	case 'p':
		return diff_pull(d, doc, ret, NULL);
	case 'i':
		return diff_issue(d, doc, ret, NULL);
	case 'c':
		return diff_comments(d, NUMBER, doc, true, TIME_NONE, ret, NULL);
	case 'e':
		return diff_events(d, NUMBER, doc, TIME_NONE, ret, NULL);
	case 'r':
		return diff_reviews(d, NUMBER, doc, TIME_NONE, ret, NULL);
	case 'v':
		return diff_review_comments(d, NUMBER, doc, true, ret, NULL);
	case 'l':
		return diff_labels(d, doc, ret, NULL);
	default:
		return diff_milestones(d, doc, ret, NULL);
	}
}

/* Does one id, one user, one slug come twice?  Then the answer contradicts itself. */
static bool
is_ambiguous(const json_t *doc)
{
	const json_t *v;
	const char *key;
	size_t i, j;

	json_object_foreach((json_t *)(uintptr_t)doc, key, v)
	{
		if (is_ambiguous(v))
			return true;
	}
	json_array_foreach(doc, i, v)
	{
		if (is_ambiguous(v))
			return true;
		for (j = 0; j < i; j++) {
			const json_t *o = json_array_get(doc, j);

			if (json_equal(json_object_get(o, "id"), json_object_get(v, "id")) ||
			    json_equal(json_object_get(o, "slug"), json_object_get(v, "slug")))
				return true;
		}
	}
	return false;
}

/* Under how many logins is each id seen?  Only texts with one are stable. */
static bool
is_about_one_user_each(const json_t *doc, json_t *seen)
{
	const json_t *v;
	const char *key;
	char id[32];
	size_t i;

	if (json_is_string(json_object_get(doc, "login"))) {
		const json_t *login = json_object_get(doc, "login"), *old;

		snprintf(id, sizeof(id), "%lld",
		    (long long)json_integer_value(json_object_get(doc, "id")));
		old = json_object_get(seen, id);
		if (old != NULL && !json_equal(old, login))
			return false;
		json_object_set(seen, id, (json_t *)(uintptr_t)login);
	}
	json_object_foreach((json_t *)(uintptr_t)doc, key, v)
	{
		if (!is_about_one_user_each(v, seen))
			return false;
	}
	json_array_foreach(doc, i, v)
	{
		if (!is_about_one_user_each(v, seen))
			return false;
	}
	return true;
}

static void
take_twice(struct snap_txn *t, struct apply *a, char kind, const json_t *doc)
{
	json_t *seen = json_object();
	Maintpb__Mutation *m = NULL;
	struct diff d;

	diff_init(&d, snap_txn_arena(t), snap_txn_view(t), owner, repo);
	if (diff_kind(&d, kind, doc, &m) == 0 && m != NULL) {
		apply_mutation(a, t, m);
		m = NULL;
		if (snap_txn_err(t) == 0 && diff_kind(&d, kind, doc, &m) != 0)
			abort();
		if (snap_txn_err(t) == 0 && m != NULL && !is_ambiguous(doc) &&
		    is_about_one_user_each(doc, seen))
			abort();
	}
	diff_clear(&d);
	json_decref(seen);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Maintpb__GithubIssueMutation i = MAINTPB__GITHUB_ISSUE_MUTATION__INIT;
	Maintpb__Mutation first = MAINTPB__MUTATION__INIT;
	struct slice text = { (const char *)data + 1, size - 1 };
	struct snap_txn *t;
	struct apply *a;
	json_t *doc;

	if (writer == NULL)
		set_up();
	if (size < 2 || json_in_parse(text, "answer", &doc, NULL) != 0)
		return 0;
	i.owner = owner;
	i.repo = repo;
	i.number = NUMBER;
	first.github_issue = &i;
	if (snap_txn_begin(writer, &t) != 0 || apply_new(owner, repo, &a) != 0)
		abort();
	apply_mutation(a, t, &first);
	take_twice(t, a, (char)data[0], doc);
	snap_txn_abort(t);
	apply_free(a);
	json_decref(doc);
	return 0;
}
