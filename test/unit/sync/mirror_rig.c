/* mirror_rig.c - see mirror_rig.h. */
#include <sys/stat.h>

#include "mutation-log/mlog_reader.h"
#include "sync/replay.h"
#include "test/unit/sync/mirror_rig.h"

static int
no_sleep(void *ctx, int64_t ms)
{
	(void)ctx;
	(void)ms;
	return 1;
}

static void
on_note(void *ctx, const char *message, uint64_t count)
{
	struct mirror_rig *rig = ctx;
	size_t len = strlen(rig->notes);

	snprintf(rig->notes + len, sizeof(rig->notes) - len, "%s\n", message);
	if (count > rig->noted)
		rig->noted = count;
}

int
mr_open_as(struct mirror_rig *rig, const char *snapshot, bool rebuild, struct mirror **ret)
{
	char url[128];
	struct mirror_opts o = { .owner = "acme",
		.repo = "widgets",
		.log_url = url,
		.snapshot_dir = snapshot,
		.rebuild = rebuild,
		.sleep_ms = no_sleep,
		.on_note = on_note,
		.ctx = rig };

	rig->notes[0] = '\0';
	rig->noted = 0;
	snprintf(url, sizeof(url), "file://%s", rig->log);
	return mirror_open(&o, ret, NULL);
}

int
mr_open(struct mirror_rig *rig)
{
	return mr_open_as(rig, rig->snapshot, false, &rig->m);
}

void
mr_close(struct mirror_rig *rig)
{
	mirror_close(rig->m);
	rig->m = NULL;
}

int
mr_setup(void **state)
{
	struct mirror_rig *rig = calloc(1, sizeof(*rig));

	/* Memory, where there is some: the tests flush often, and no power fails here. */
	snprintf(rig->dir, sizeof(rig->dir), "%s/mirror-test-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(rig->dir) == NULL)
		return -1;
	snprintf(rig->log, sizeof(rig->log), "%s/log", rig->dir);
	snprintf(rig->snapshot, sizeof(rig->snapshot), "%s/snapshot", rig->dir);
	*state = rig;
	return mr_open(rig);
}

int
mr_teardown(void **state)
{
	struct mirror_rig *rig = *state;

	mirror_close(rig->m);
	fx_remove_dir(rig->dir);
	free(rig);
	return 0;
}

/* --- writing --- */

struct one {
	uint32_t number;
	const char *title;
};

static int
add_one(struct mirror_txn *t, void *ctx)
{
	static char owner[] = "acme", repo[] = "widgets", login[] = "ann";
	const struct one *one = ctx;
	char *title = strdup(one->title); /* not an allocation that may fail */
	Maintpb__Mutation m = MAINTPB__MUTATION__INIT;
	Maintpb__GithubIssueMutation i = MAINTPB__GITHUB_ISSUE_MUTATION__INIT;
	Maintpb__GithubUser u = MAINTPB__GITHUB_USER__INIT;
	int rc;

	u.id = 5;
	u.login = login;
	i.owner = owner;
	i.repo = repo;
	i.number = (int32_t)one->number;
	i.title = title;
	i.user = &u;
	m.github_issue = &i;
	rc = mirror_add(t, &m);
	free(title);
	return rc;
}

int
mr_commit(struct mirror *m, uint32_t number, const char *title)
{
	struct one one = { number, title };

	return mirror_commit(m, add_one, &one, NULL);
}

void
mr_write(struct mirror_rig *rig, uint32_t number, const char *title)
{
	assert_int_equal(mr_commit(rig->m, number, title), 0);
	assert_int_equal(mirror_flush(rig->m, NULL), 0);
}

/* --- reading --- */

const char *
mr_snapshot(struct mirror *m)
{
	static char text[4096];
	struct snap_list_pos pos;
	struct snap_list list;
	struct snap_issue i;
	struct snap_view *v = NULL;
	size_t len = 0;

	text[0] = '\0';
	assert_int_equal(mirror_view(m, &v), 0);
	assert_int_equal(
	    snap_list_begin(v, SNAP_BY_NUMBER, false, SNAP_CLASS_ALL, NULL, &list), 0);
	while (snap_list_next(&list, &pos) == 0 && len < sizeof(text)) {
		struct slice title;

		assert_int_equal(snap_issue_get(v, pos.number, &i), 0);
		title = snap_issue_value(&i, SNAP_M_TITLE);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%u=%.*s ", pos.number,
		    (int)title.len - 2, title.ptr + 1);
	}
	snap_writer_view_end(v);
	return text;
}

const char *
mr_log(struct mirror *m)
{
	static char text[4096];
	struct mlog_reader *r = NULL;
	struct slice payload;
	struct mlog_pos at;
	struct arena a;
	size_t len = 0;
	int rc;

	text[0] = '\0';
	arena_init(&a, (size_t)1 << 20);
	assert_int_equal(
	    mlog_reader_open(m->store, m->prefix, (struct mlog_pos){ 0, 0 }, &r, NULL), 0);
	while ((rc = mlog_reader_next(r, &payload, &at, NULL)) == 0 && len < sizeof(text)) {
		Maintpb__Mutation *mutation;

		assert_int_equal(mlog_mutation_unpack(payload, &a, &mutation, NULL), 0);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%d=%s ",
		    mutation->github_issue->number, mutation->github_issue->title);
	}
	assert_int_equal(rc, ERR_NOENT);
	mlog_reader_close(r);
	arena_clear(&a);
	return text;
}

static void
on_difference(void *ctx, const char *table, const char *key, const char *what)
{
	(void)ctx;
	print_error("%s %s: %s\n", table, key, what);
}

void
assert_in_step(struct mirror *m)
{
	const struct snap_compare_opts o = { .on_difference = on_difference };
	char dir[128];
	struct snap_view *v = NULL, *scratch = NULL;
	struct replay_opts r = { .store = m->store, .prefix = m->prefix, .apply = m->apply };
	struct err_info ei = { .text = "" };
	uint64_t count = 0;
	bool unclean;

	snprintf(dir, sizeof(dir), "%s.replay", m->snapshot_dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(snap_writer_open(dir, m->name, SNAP_FILL, &r.into, &unclean, NULL), 0);
	assert_int_equal(replay_log(&r, NULL), 0);
	assert_int_equal(mirror_view(m, &v), 0);
	if (snap_verify(v, &count, &ei) != 0)
		fail_msg("%s", ei.text);
	assert_int_equal(replay_outbox(v, r.into, m->apply, NULL), 0);
	assert_int_equal(snap_writer_promote(r.into, false, NULL), 0);
	assert_int_equal(snap_writer_view(r.into, &scratch), 0);
	assert_int_equal(snap_compare(v, scratch, &o, &count), 0);
	assert_int_equal(count, 0);
	snap_writer_view_end(v);
	snap_writer_view_end(scratch);
	snap_writer_close(r.into);
	fx_remove_dir(dir);
}

void
mr_shell(const char *fmt, ...)
{
	char command[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	assert_int_equal(system(command), 0);
}
