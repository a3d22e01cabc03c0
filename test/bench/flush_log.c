/*
 * flush_log - how quickly the log's writer makes records durable in a directory or bucket,
 * for one size of flush; or (with --plain) the least that costs in a directory: the same
 * bytes as files of 16 MiB, each digested, written, synced and renamed.  Prints JSON.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf.h"
#include "mutation-log/mlog_record.h"
#include "mutation-log/mlog_writer.h"
#include "test/bench/made_text.h"
#include "test/bench/usage.h"

#define RECORD_BYTES 730.0 /* on average, as in the made log */

struct settings {
	const char *dir, *url;
	int64_t mib, flush_kib;
	bool plain;
};

/* Frame and append one record; the log's new end in *end. */
static int
append_one(struct mlog_writer *w, struct made_rng *r, struct buf *framed, uint64_t *bytes,
    struct err_info *ei)
{
	char text[MADE_TEXT_MAX];
	struct slice payload = { text, made_text(r, RECORD_BYTES, text) };
	struct mlog_pos at, end;
	int rc = mlog_place(mlog_writer_end(w), payload.len, &at, &end);

	if (rc != 0)
		return rc;
	buf_reset(framed);
	mlog_record_append(framed, at.offset, payload);
	*bytes += framed->len;
	return mlog_writer_append(w, at, buf_view(framed), ei);
}

static int
write_all(const struct settings *set, struct mlog_writer *w, uint64_t *ret_flushes,
    struct err_info *ei)
{
	uint64_t want = (uint64_t)set->mib << 20, bytes = 0, flushed = 0;
	struct made_rng r = made_rng(1, 0, 0);
	struct buf framed;
	int rc = 0;

	buf_init(&framed, MLOG_RECORD_MAX);
	while (bytes < want && rc == 0) {
		rc = append_one(w, &r, &framed, &bytes, ei);
		if (rc == 0 && bytes - flushed >= (uint64_t)set->flush_kib << 10) {
			rc = mlog_writer_flush(w, ei);
			flushed = bytes;
			++*ret_flushes;
		}
	}
	buf_clear(&framed);
	return rc == 0 ? mlog_writer_flush(w, ei) : rc;
}

static int
run_writer(const struct settings *set, uint64_t *ret_flushes, struct err_info *ei)
{
	struct mlog_writer *w = NULL;
	struct store *s = NULL;
	char url[4200];
	int rc;

	if (set->url == NULL)
		snprintf(url, sizeof(url), "file://%s", set->dir);
	rc = store_open(set->url != NULL ? set->url : url, &s, ei);
	if (rc == 0)
		rc = mlog_writer_open(s, "bench/flush/", "bench", NULL, &w, ei);
	if (rc == 0)
		rc = write_all(set, w, ret_flushes, ei);
	if (rc == 0)
		rc = mlog_writer_release(w, ei);
	mlog_writer_close(w);
	store_close(s);
	return rc;
}

static int
write_file(const char *dir, unsigned n, struct slice data, struct err_info *ei)
{
	char temp[4200], name[4200], hex[SHA224_HEX_LEN + 1];
	int fd, rc = sha224_hex(data, hex);

	snprintf(temp, sizeof(temp), "%s/new", dir);
	snprintf(name, sizeof(name), "%s/%04u.%s", dir, n, hex);
	fd = open(temp, O_WRONLY | O_CREAT | O_CLOEXEC, 0660);
	if (rc != 0 || fd < 0 || write(fd, data.ptr, data.len) != (ssize_t)data.len ||
	    fsync(fd) != 0 || rename(temp, name) != 0)
		rc = err_set(ei, ERR_IO, "cannot write %s", temp);
	close(fd);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && fsync(fd) != 0)
		rc = ERR_IO;
	close(fd);
	return rc;
}

static int
run_plain(const struct settings *set, uint64_t *ret_flushes, struct err_info *ei)
{
	struct made_rng r = made_rng(1, 0, 0);
	char text[MADE_TEXT_MAX];
	struct buf b;
	int rc = 0;

	mkdir(set->dir, 0770);
	buf_init(&b, MLOG_SEGMENT_MAX + MADE_TEXT_MAX);
	for (uint64_t done = 0; done < (uint64_t)set->mib << 20 && rc == 0;) {
		buf_reset(&b);
		while (b.len < MLOG_SEGMENT_MAX && done + b.len < (uint64_t)set->mib << 20)
			buf_add(&b, text, made_text(&r, RECORD_BYTES, text));
		rc = write_file(set->dir, (unsigned)(*ret_flushes)++, buf_view(&b), ei);
		done += b.len;
	}
	buf_clear(&b);
	return rc;
}

static int
read_settings(
    struct settings *s, int argc, char **argv, enum conf_next *next, struct err_info *ei)
{
	const struct conf_option options[] = {
		{ .name = "dir",
		    .target = &s->dir,
		    .value = "DIR",
		    .help = "an absolute path; must be new" },
		{ .name = "url",
		    .target = &s->url,
		    .value = "URL",
		    .help = "a store, instead of --dir" },
		{ .name = "mib",
		    .type = CONF_NUMBER,
		    .target = &s->mib,
		    .low = 1,
		    .high = 16384,
		    .value = "N",
		    .help = "how much to write [128]" },
		{ .name = "flush-kib",
		    .type = CONF_NUMBER,
		    .target = &s->flush_kib,
		    .low = 1,
		    .high = 100000,
		    .value = "N",
		    .help = "how much each flush makes durable [16384]" },
		{ .name = "plain",
		    .type = CONF_SWITCH,
		    .target = &s->plain,
		    .help = "files without the writer" },
		{ .name = NULL },
	};
	const struct conf_program program = { "flush_log", "Times flushes of the log's writer.",
		NULL, options };
	int operand, rc = conf_read(&program, argc, argv, next, &operand, ei);

	if (rc == 0 && *next == CONF_RUN &&
	    ((s->dir == NULL) == (s->url == NULL) || (s->plain && s->dir == NULL)))
		rc = err_set(
		    ei, ERR_INVAL, "--dir or --url is required; --plain goes with --dir");
	return rc;
}

int
main(int argc, char **argv)
{
	struct settings set = { .mib = 128, .flush_kib = 16384 };
	enum conf_next next = CONF_RUN;
	struct err_info ei = { 0 };
	struct usage began, used;
	uint64_t flushes = 0;
	int rc = read_settings(&set, argc, argv, &next, &ei);

	if (rc == 0 && next == CONF_EXIT)
		return 0;
	began = usage_now();
	if (rc == 0)
		rc = set.plain ? run_plain(&set, &flushes, &ei)
			       : run_writer(&set, &flushes, &ei);
	used = usage_since(began);
	if (rc != 0) {
		fprintf(stderr, "flush_log: %s\n", ei.text[0] != '\0' ? ei.text : err_name(rc));
		return 1;
	}
	printf("{\"cpu_s\":%.3f,\"wall_s\":%.3f,\"flushes\":%llu,\"mib_s\":%.1f}\n", used.cpu_s,
	    used.wall_s, (unsigned long long)flushes, (double)set.mib / used.wall_s);
	return 0;
}
