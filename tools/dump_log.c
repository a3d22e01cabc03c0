/* dump_log.c - the records of a log as JSON lines, with progress on a terminal. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "mutation-log/mlog_mutation.h"
#include "mutation-log/mlog_reader.h"
#include "tools/dump.h"
#include "tools/dump_pick.h"
#include "tools/mutation_json.h"

#define LINE_MAX_BYTES ((size_t)1 << 30)
#define PROGRESS_MS 500

struct progress {
	uint64_t bytes, total;
	int64_t shown_ms;
};

/* Only when a person looks: standard output in a file, standard error a terminal. */
static void
show_progress(struct progress *p, size_t bytes)
{
	int64_t now = clock_mono_ms();

	p->bytes += bytes;
	if (now - p->shown_ms < PROGRESS_MS || isatty(STDERR_FILENO) == 0 ||
	    isatty(STDOUT_FILENO) != 0)
		return;
	p->shown_ms = now;
	fprintf(stderr, "\r%llu of %llu MB", (unsigned long long)(p->bytes >> 20),
	    (unsigned long long)(p->total >> 20));
}

/* `0:1234 issue 7 {...}` */
static void
add_text(const Maintpb__Mutation *m, struct mlog_pos at, struct buf *b)
{
	buf_fmt(
	    b, "%u:%llu %s", at.segment, (unsigned long long)at.offset, dump_record_type(m));
	if (m->github_issue != NULL)
		buf_fmt(b, " %d", m->github_issue->number);
	buf_char(b, ' ');
	mutation_json(m->github_issue != NULL ? &m->github_issue->base : &m->base, b);
}

static int
print_record(const struct dump *d, struct slice payload, struct mlog_pos at, struct arena *a,
    struct buf *b, struct err_info *ei)
{
	Maintpb__Mutation *m;
	int rc;

	arena_reset(a);
	rc = mlog_mutation_unpack(payload, a, &m, ei);
	if (rc != 0)
		return err_wrap(ei, rc, "record at segment %u offset %llu", at.segment,
		    (unsigned long long)at.offset);
	if (!dump_wants_record(d, m))
		return 0;
	if (d->text) {
		add_text(m, at, b);
		return dump_line(b, ei);
	}
	buf_fmt(b, "{\"segment\":%u,\"offset\":%llu,\"mutation\":", at.segment,
	    (unsigned long long)at.offset);
	mutation_json(&m->base, b);
	buf_char(b, '}');
	return dump_line(b, ei);
}

static int
next_record(struct mlog_reader *r, const char *url, struct slice *ret, struct mlog_pos *ret_at,
    struct err_info *ei)
{
	int rc = mlog_reader_next(r, ret, ret_at, ei);

	return rc == 0 || rc == ERR_NOENT ? rc : err_wrap(ei, rc, "%s", url);
}

static int
print_records(const struct dump *d, struct mlog_reader *r, const char *url, struct err_info *ei)
{
	struct progress p = { .total = mlog_reader_total_bytes(r) };
	struct slice payload;
	struct mlog_pos at;
	struct arena a;
	struct buf b;
	int rc;

	arena_init(&a, MLOG_UNPACK_MAX);
	buf_init(&b, LINE_MAX_BYTES);
	while ((rc = next_record(r, url, &payload, &at, ei)) == 0) {
		rc = print_record(d, payload, at, &a, &b, ei);
		if (rc != 0)
			break;
		show_progress(&p, payload.len);
	}
	if (p.shown_ms != 0)
		fputc('\n', stderr);
	arena_clear(&a);
	buf_clear(&b);
	return rc == ERR_NOENT ? 0 : rc;
}

int
dump_no_log(const char *url, const char *prefix, struct err_info *ei)
{
	size_t len = strlen(url), name = strlen(prefix);

	while (len > 0 && url[len - 1] == '/')
		len--;
	if (name > 0 && prefix[name - 1] == '/')
		name--;
	return err_set(ei, ERR_NOENT, "there is no log at %.*s%s%.*s", (int)len, url,
	    name > 0 ? "/" : "", (int)name, prefix);
}

int
dump_log(const struct dump *d, struct err_info *ei)
{
	char prefix[MLOG_PREFIX_MAX] = "";
	struct mlog_reader *r = NULL;
	struct store_open_opts o = { .ca_file = d->ca_file };
	struct store *s = NULL;
	int rc;

	if (d->log != NULL &&
	    (size_t)snprintf(prefix, sizeof(prefix), "%s/", d->repo) >= sizeof(prefix))
		return err_set(ei, ERR_INVAL, "--repo is too long");
	rc = store_open_with(d->log != NULL ? d->log : d->log_exact, &o, &s, ei);
	if (rc != 0)
		return rc;
	rc = mlog_reader_open(s, prefix, (struct mlog_pos){ 0, 0 }, &r, ei);
	if (rc != 0)
		err_wrap(ei, rc, "%s", store_url(s));
	else if (mlog_reader_segment_count(r) == 0)
		rc = dump_no_log(store_url(s), prefix, ei);
	else
		rc = print_records(d, r, store_url(s), ei);
	mlog_reader_close(r);
	store_close(s);
	return rc;
}
