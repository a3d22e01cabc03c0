/*
 * maintmigrate - splits a log that holds many repositories into one log per listed
 * repository: one pass over the source parts the records on this machine's disk, then
 * each result is written and read back.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/repo_list.h"
#include "mutation-log/mlog_reader.h"
#include "tools/jobs.h"
#include "tools/migrate_log.h"
#include "tools/migrate_settings.h"
#include "tools/read_ahead.h"
#include "tools/record_owner.h"
#include "tools/repo_pick.h"
#include "tools/repo_urls.h"
#include "tools/stop.h"
#include "tools/unlisted.h"

#define PROGRESS_MS 2000
#define LOOK_RECORDS 64 /* between two looks whether to stop, which cost a system call */
/*
 * Results written at once: most of the time goes by in waiting for the disk or the network.
 * A large one is written alone, since it holds a segment's worth of memory.
 */
#define WRITERS 16
#define LARGE_BYTES ((uint64_t)4 << 20)

struct migration {
	struct migrate_settings set;
	struct store_open_opts store_opts;
	struct repo_list list;
	struct spool *spool;
	struct unlisted *unlisted; /* repositories that are in the log and not in the list */
	char holder[MLOG_NAME_SIZE];
	uint64_t records, git, gerrit, other, not_listed;
	uint64_t *found; /* for each listed repository: its own records */
	bool *refused;   /* and whether its destination was, before the source was read */
	size_t skipped;  /* entries of the list */
	uint64_t bytes, total_bytes;
	int64_t told_ms;
	pthread_mutex_t telling; /* guards done, told, told_ms and standard output */
	pthread_mutex_t large;   /* held by whoever writes a large result */
	size_t done, told;
	atomic_uint steps;
	atomic_ullong written, compared; /* bytes, of results */
	struct stop stop;
};

/* --- which repositories --- */

/* Is `dest` each repository's own folder, or their root? */
static bool
is_template(const struct migrate_settings *s)
{
	return strchr(s->dest, '{') != NULL;
}

static void
count_skipped(void *ctx, size_t index, const char *name, const char *why)
{
	struct migration *m = ctx;

	m->skipped++;
	fprintf(stderr, "entry %zu of the list (%s) is skipped: %s\n", index, name, why);
}

/* *ret_status is the exit status after a failure. */
static int
pick(struct migration *m, int *ret_status, struct err_info *ei)
{
	const struct repo_pick pick = { .url = m->set.repos,
		.only = m->set.only.items,
		.only_count = m->set.only.count,
		.store_opts = &m->store_opts };
	int rc = repo_pick_noting(&pick, count_skipped, m, &m->list, ei);

	*ret_status = rc == 0 ? 2 : 1;
	return rc == 0 && is_template(&m->set)
		   ? repo_urls_check("dest", m->set.dest, &m->list, ei)
		   : rc;
}

/* --- the source --- */

static void
progress(struct migration *m, bool last)
{
	int64_t now = clock_mono_ms();

	if (!last && now - m->told_ms < PROGRESS_MS)
		return;
	m->told_ms = now;
	fprintf(stderr, "maintmigrate: %llu records, %llu of %llu MB read\n",
	    (unsigned long long)m->records, (unsigned long long)(m->bytes >> 20),
	    (unsigned long long)(m->total_bytes >> 20));
}

static int
keep_for_all(struct migration *m, struct slice payload, struct err_info *ei)
{
	int rc = 0;

	for (size_t i = 0; i < m->list.count && rc == 0 && m->set.keep_git; i++) {
		if (!m->refused[i])
			rc = spool_add(m->spool, i, payload, ei);
	}
	return rc;
}

static int
keep_for_one(struct migration *m, size_t lane, struct slice payload, struct err_info *ei)
{
	m->found[lane]++;
	return m->refused[lane] ? 0 : spool_add(m->spool, lane, payload, ei);
}

static int
part_record(struct migration *m, struct slice payload, struct err_info *ei)
{
	const struct repo_entry *entry;
	struct record_owner owner;
	int rc = record_owner_of(payload, &owner, ei);

	if (rc != 0)
		return rc;
	m->records++;
	switch (owner.kind) {
	case RECORD_GIT:
		m->git++;
		return keep_for_all(m, payload, ei);
	case RECORD_GERRIT:
		m->gerrit++;
		return keep_for_all(m, payload, ei);
	case RECORD_OTHER:
		m->other++;
		return 0;
	case RECORD_GITHUB:
		break;
	}
	entry = repo_list_find(&m->list, owner.owner, owner.repo);
	if (entry != NULL)
		return keep_for_one(m, (size_t)(entry - m->list.items), payload, ei);
	m->not_listed++;
	return unlisted_add(m->unlisted, owner.owner, owner.repo);
}

static int
check_stop(struct migration *m, struct err_info *ei)
{
	return stop_asked(&m->stop) ? err_set(ei, ERR_CANCELED, "stopped") : 0;
}

static int
part_all(struct migration *m, struct read_ahead *log, struct err_info *ei)
{
	struct slice payload;
	struct mlog_pos at;
	int rc;

	while ((rc = read_ahead_next(log, &payload, &at, ei)) == 0) {
		rc = part_record(m, payload, ei);
		if (rc != 0)
			return err_wrap(ei, rc, "record at %u:%llu", at.segment,
			    (unsigned long long)at.offset);
		m->bytes += payload.len;
		progress(m, false);
		if (m->records % LOOK_RECORDS == 0 && (rc = check_stop(m, ei)) != 0)
			break;
	}
	if (rc != ERR_NOENT)
		return rc;
	progress(m, true);
	return spool_flush(m->spool, ei);
}

static int
part_log(struct migration *m, struct mlog_reader *log, struct err_info *ei)
{
	struct read_ahead *ahead = NULL;
	int rc;

	if (mlog_reader_segment_count(log) == 0)
		return err_set(ei, ERR_NOENT, "there is no log");
	m->total_bytes = mlog_reader_total_bytes(log);
	rc = read_ahead_start(log, &ahead, ei);
	if (rc == 0)
		rc = part_all(m, ahead, ei);
	read_ahead_stop(ahead);
	return rc;
}

static int
read_source(struct migration *m, struct err_info *ei)
{
	struct mlog_reader *log;
	struct store *s;
	int rc = store_open_with(m->set.source, &m->store_opts, &s, ei);

	if (rc != 0)
		return rc;
	rc = mlog_reader_open(s, "", (struct mlog_pos){ 0 }, &log, ei);
	if (rc == 0) {
		rc = part_log(m, log, ei);
		mlog_reader_close(log);
	}
	store_close(s);
	return rc == 0 ? 0 : err_wrap(ei, rc, "%s", m->set.source);
}

/* --- the results --- */

/* One thread tells; the others do not wait for it. */
static void
progress_writing(struct migration *m)
{
	int64_t now = clock_mono_ms();

	if (pthread_mutex_trylock(&m->telling) != 0)
		return;
	if (now - m->told_ms >= PROGRESS_MS) {
		m->told_ms = now;
		fprintf(stderr,
		    "maintmigrate: %zu of %zu repositories, %llu MB written, %llu MB read "
		    "back or compared\n",
		    m->told, m->list.count, (unsigned long long)m->written >> 20,
		    (unsigned long long)m->compared >> 20);
	}
	pthread_mutex_unlock(&m->telling);
}

static int
on_record(void *ctx, enum migrate_step step, size_t bytes, struct err_info *ei)
{
	struct migration *m = ctx;

	atomic_fetch_add(step == MIGRATE_WRITE ? &m->written : &m->compared, bytes);
	if (atomic_fetch_add(&m->steps, 1) % LOOK_RECORDS != 0)
		return 0;
	progress_writing(m);
	return check_stop(m, ei);
}

static void
on_wait(void *ctx, size_t lane, const char *holder, int64_t lease_s)
{
	const struct migration *m = ctx;

	fprintf(stderr,
	    "maintmigrate: %s: %s did not release the log: waiting %lld s for its lease to "
	    "end\n",
	    m->list.items[lane].name, holder, (long long)lease_s);
}

/* Without `ret`, only look at the destination. */
static int
write_one(struct migration *m, size_t lane, struct migrate_result *ret, struct err_info *ei)
{
	const struct repo_entry *e = &m->list.items[lane];
	char prefix[REPO_NAME_MAX + 2] = "";
	struct migrate_log job = { .holder = m->holder,
		.prefix = prefix,
		.store_opts = &m->store_opts,
		.append_verified = m->set.append_verified,
		.dry_run = m->set.dry_run,
		.spool = m->spool,
		.lane = lane,
		.on_record = on_record,
		.on_wait = on_wait,
		.ctx = m };
	struct buf url;
	int rc;

	if (!is_template(&m->set))
		snprintf(prefix, sizeof(prefix), "%s/", e->name);
	buf_init(&url, (size_t)8 << 10);
	rc = repo_template_fill(m->set.dest, e, &url);
	job.url = rc == 0 ? buf_cstr(&url) : NULL;
	if (job.url == NULL)
		rc = ERR_NOMEM;
	else
		rc = ret != NULL ? migrate_log(&job, ret, ei) : migrate_look(&job, ei);
	buf_clear(&url);
	return rc;
}

static const char *
state_of(const struct migration *m, const struct migrate_result *r)
{
	if (r->written == 0)
		return r->there > 0 ? "unchanged" : "no records";
	return m->set.dry_run ? "to be written" : r->there > 0 ? "gone on with" : "written";
}

static void
tell(struct migration *m, size_t lane, int rc, const struct migrate_result *r,
    const struct err_info *ei)
{
	const char *name = m->list.items[lane].name;

	pthread_mutex_lock(&m->telling);
	m->done += rc == 0;
	m->told++;
	if (rc != 0)
		fprintf(stderr, "maintmigrate: %s: %s\n", name,
		    ei->text[0] != '\0' ? ei->text : err_name(rc));
	printf("%-14s %10llu records %12llu bytes  %s\n", rc == 0 ? state_of(m, r) : "failed",
	    (unsigned long long)spool_count(m->spool, lane),
	    (unsigned long long)spool_bytes(m->spool, lane), name);
	(void)fflush(stdout);
	pthread_mutex_unlock(&m->telling);
}

/* What is refused in any case is told now: reading the source may take hours. */
static void
look_at_lane(void *ctx, size_t lane)
{
	struct migration *m = ctx;
	struct err_info ei = { 0 };
	int rc = stop_asked(&m->stop) ? 0 : write_one(m, lane, NULL, &ei);

	m->refused[lane] = rc != 0;
	if (rc != 0 && !stop_asked(&m->stop))
		tell(m, lane, rc, NULL, &ei);
}

static void
write_lane(void *ctx, size_t lane)
{
	struct migration *m = ctx;
	struct migrate_result r = { 0 };
	struct err_info ei = { 0 };
	bool is_large = spool_bytes(m->spool, lane) > LARGE_BYTES;
	int rc;

	if (m->refused[lane])
		return;
	if (is_large)
		pthread_mutex_lock(&m->large);
	if (stop_asked(&m->stop)) { /* neither begun nor told */
		if (is_large)
			pthread_mutex_unlock(&m->large);
		return;
	}
	/* Listed ones may have no records; a name that has none is likely to be misspelled. */
	if (m->found[lane] == 0 && m->set.only.count > 0)
		rc = err_set(&ei, ERR_NOENT, "%s has no records of it", m->set.source);
	else
		rc = write_one(m, lane, &r, &ei);
	if (is_large)
		pthread_mutex_unlock(&m->large);
	tell(m, lane, rc, &r, &ei);
	progress_writing(m);
}

static void
summary(const struct migration *m)
{
	size_t without = 0;

	for (size_t i = 0; i < m->list.count; i++)
		without += m->found[i] == 0 && !m->refused[i];
	if (m->set.report)
		unlisted_print(m->unlisted);
	printf("%llu records read: %llu of repositories that are not listed, %llu git, %llu "
	       "gerrit (%s), %llu others\n",
	    (unsigned long long)m->records, (unsigned long long)m->not_listed,
	    (unsigned long long)m->git, (unsigned long long)m->gerrit,
	    m->set.keep_git ? "kept" : "left out", (unsigned long long)m->other);
	printf(
	    "%zu of %zu repositories done (without records: %zu; entries of the list skipped: "
	    "%zu)\n",
	    m->done, m->list.count, without, m->skipped);
}

/* The same for the same source, however it is spelled: an interrupted run is gone on with. */
static int
name_holder(struct migration *m)
{
	char sha[SHA224_HEX_LEN + 1];
	struct buf url;
	int rc;

	buf_init(&url, (size_t)8 << 10);
	rc = repo_url_normalize(m->set.source, &url);
	if (rc == 0)
		rc = sha224_hex(buf_view(&url), sha);
	buf_clear(&url);
	if (rc == 0)
		snprintf(m->holder, sizeof(m->holder), "maintmigrate-%.16s", sha);
	return rc;
}

static int
run(struct migration *m, struct err_info *ei)
{
	size_t swept = spool_sweep(m->set.scratch);
	int rc = name_holder(m);

	if (swept > 0)
		fprintf(stderr, "maintmigrate: removed what %zu killed runs had left in %s\n",
		    swept, m->set.scratch);
	m->found = mem_calloc(m->list.count, sizeof(*m->found));
	m->refused = mem_calloc(m->list.count, sizeof(*m->refused));
	if (rc == 0 && (m->found == NULL || m->refused == NULL))
		rc = ERR_NOMEM;
	if (rc == 0)
		rc = unlisted_new(&m->unlisted);
	if (rc == 0)
		rc = spool_new(m->set.scratch, m->list.count, &m->spool, ei);
	if (rc != 0)
		return rc;
	jobs_run(m->list.count, WRITERS, look_at_lane, m);
	rc = check_stop(m, ei);
	if (rc == 0 && m->told < m->list.count)
		rc = read_source(m, ei);
	if (rc != 0)
		return rc;
	jobs_run(m->list.count, WRITERS, write_lane, m);
	summary(m);
	if (fflush(stdout) != 0 || ferror(stdout) != 0)
		return err_set(ei, ERR_IO, "standard output cannot be written");
	return m->done == m->list.count ? 0
					: err_set(ei, ERR_IO, "%zu repositories were not done",
					      m->list.count - m->done);
}

int
main(int argc, char **argv)
{
	struct migration m = { .telling = PTHREAD_MUTEX_INITIALIZER,
		.large = PTHREAD_MUTEX_INITIALIZER,
		.told_ms = clock_mono_ms() };
	enum conf_next next = CONF_RUN;
	struct err_info ei = { 0 };
	int status = 2, rc = migrate_settings_read(&m.set, argc, argv, &next, &ei);

	if (rc == 0 && next == CONF_EXIT)
		return 0;
	m.store_opts.ca_file = m.set.ca_file;
	m.store_opts.cancel = &m.stop.cancel;
	if (rc == 0)
		rc = stop_init(&m.stop, &ei);
	if (rc == 0)
		rc = stop_share(&m.stop, &ei);
	if (rc == 0)
		rc = pick(&m, &status, &ei);
	if (rc == 0) {
		status = 1;
		rc = run(&m, &ei);
	}
	if (rc != 0)
		fprintf(
		    stderr, "maintmigrate: %s\n", ei.text[0] != '\0' ? ei.text : err_name(rc));
	spool_free(m.spool);
	unlisted_free(m.unlisted);
	mem_free(m.found);
	mem_free(m.refused);
	repo_list_clear(&m.list);
	return rc == 0 ? 0 : status;
}
