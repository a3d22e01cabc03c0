/*
 * spool.c - a file for each destination: u32 length, bytes, and so on.  Files are open
 * only while they are written, so that their number is not bounded by descriptors.
 */
#include "tools/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "mutation-log/mlog.h"
#include "tools/scratch.h"

#define BUFFERS_BYTES ((size_t)32 << 20) /* of all destinations together */
#define BUFFER_MAX ((size_t)256 << 10)   /* of one */
#define BUFFER_MIN ((size_t)4 << 10)
#define READ_BYTES ((size_t)256 << 10)
#define DIR_PREFIX "maintmigrate-"

struct lane {
	struct buf pending;
	uint64_t count, bytes;
	bool exists;
};

struct spool {
	struct scratch dir;
	struct lane *lanes;
	size_t count, buffer_bytes;
};

struct spool_reader {
	int fd;            /* -1 when nothing was ever written */
	struct buf window; /* bytes of the file */
	size_t at;         /* of these, before the next record */
	char path[PATH_MAX];
};

static void
lane_path(const struct spool *s, size_t lane, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/%zu", s->dir.path, lane);
}

static int
fail(struct err_info *ei, const char *what, const char *path)
{
	return err_set(ei, err_from_errno(errno), "%s %s: %s", what, path, strerror(errno));
}

size_t
spool_sweep(const char *dir)
{
	return scratch_sweep(dir, DIR_PREFIX);
}

int
spool_new(const char *dir, size_t count, struct spool **ret, struct err_info *ei)
{
	struct spool *s = mem_zalloc(sizeof(*s));
	int rc;

	if (s == NULL)
		return ERR_NOMEM;
	s->lanes = mem_calloc(count > 0 ? count : 1, sizeof(*s->lanes));
	rc = s->lanes == NULL ? ERR_NOMEM : scratch_make(dir, DIR_PREFIX, &s->dir, ei);
	if (rc != 0) {
		mem_free(s->lanes);
		mem_free(s);
		return rc;
	}
	s->count = count;
	s->buffer_bytes = BUFFERS_BYTES / (count > 0 ? count : 1);
	if (s->buffer_bytes > BUFFER_MAX)
		s->buffer_bytes = BUFFER_MAX;
	if (s->buffer_bytes < BUFFER_MIN)
		s->buffer_bytes = BUFFER_MIN;
	for (size_t i = 0; i < count; i++)
		buf_init(&s->lanes[i].pending, SIZE_MAX / 2);
	*ret = s;
	return 0;
}

void
spool_free(struct spool *s)
{
	char path[PATH_MAX];

	if (s == NULL)
		return;
	for (size_t i = 0; i < s->count; i++) {
		lane_path(s, i, path);
		if (s->lanes[i].exists)
			unlink(path);
		buf_clear(&s->lanes[i].pending);
	}
	scratch_remove(&s->dir);
	mem_free(s->lanes);
	mem_free(s);
}

static int
write_all(int fd, struct slice s)
{
	while (s.len > 0) {
		ssize_t n = write(fd, s.ptr, s.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		s = (struct slice){ s.ptr + n, s.len - (size_t)n };
	}
	return 0;
}

static int
flush_lane(struct spool *s, size_t lane, struct err_info *ei)
{
	struct lane *l = &s->lanes[lane];
	char path[PATH_MAX];
	int fd, rc = 0;

	if (buf_err(&l->pending) != 0)
		return buf_err(&l->pending);
	if (l->pending.len == 0)
		return 0;
	lane_path(s, lane, path);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(ei, "cannot write", path);
	l->exists = true;
	if (write_all(fd, buf_view(&l->pending)) != 0)
		rc = fail(ei, "cannot write", path);
	if (close(fd) != 0 && rc == 0)
		rc = fail(ei, "cannot write", path);
	buf_reset(&l->pending);
	return rc;
}

int
spool_add(struct spool *s, size_t to, struct slice payload, struct err_info *ei)
{
	struct lane *l = &s->lanes[to];
	int rc = 0;

	if (l->pending.len > 0 && l->pending.len + payload.len + 4 > s->buffer_bytes)
		rc = flush_lane(s, to, ei);
	if (rc != 0)
		return rc;
	buf_le32(&l->pending, (uint32_t)payload.len);
	buf_slice(&l->pending, payload);
	l->count++;
	l->bytes += payload.len;
	if (l->pending.len > s->buffer_bytes) { /* a large record keeps no large buffer */
		rc = flush_lane(s, to, ei);
		buf_clear(&l->pending);
	}
	return rc;
}

uint64_t
spool_count(const struct spool *s, size_t to)
{
	return s->lanes[to].count;
}

uint64_t
spool_bytes(const struct spool *s, size_t to)
{
	return s->lanes[to].bytes;
}

int
spool_flush(struct spool *s, struct err_info *ei)
{
	int rc = 0;

	for (size_t i = 0; i < s->count && rc == 0; i++) {
		rc = flush_lane(s, i, ei);
		buf_clear(&s->lanes[i].pending);
	}
	return rc;
}

/* --- reading --- */

int
spool_open(struct spool *s, size_t from, struct spool_reader **ret, struct err_info *ei)
{
	struct spool_reader *r = mem_zalloc(sizeof(*r));

	if (r == NULL)
		return ERR_NOMEM;
	r->fd = -1;
	buf_init(&r->window, 4 + MLOG_RECORD_MAX + 2 * READ_BYTES);
	lane_path(s, from, r->path);
	if (s->lanes[from].exists) {
		r->fd = open(r->path, O_RDONLY | O_CLOEXEC);
		if (r->fd < 0) {
			int rc = fail(ei, "cannot read", r->path);

			spool_close(r);
			return rc;
		}
	}
	*ret = r;
	return 0;
}

void
spool_close(struct spool_reader *r)
{
	if (r == NULL)
		return;
	if (r->fd >= 0)
		close(r->fd);
	buf_clear(&r->window);
	mem_free(r);
}

static size_t
available(const struct spool_reader *r)
{
	return r->window.len - r->at;
}

/* Have `len` bytes at hand, or all up to the file's end. */
static int
ensure(struct spool_reader *r, size_t len, struct err_info *ei)
{
	ssize_t n = 1;

	if (available(r) >= len || r->fd < 0)
		return 0;
	if (r->at > 0)
		memmove(r->window.ptr, r->window.ptr + r->at, available(r));
	r->window.len = available(r);
	r->at = 0;
	if (buf_reserve(&r->window, len + READ_BYTES) != 0)
		return buf_err(&r->window);
	while (n != 0 && r->window.len < len) {
		n = read(
		    r->fd, r->window.ptr + r->window.len, len + READ_BYTES - r->window.len);
		if (n < 0 && errno != EINTR)
			return fail(ei, "cannot read", r->path);
		r->window.len += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int
spool_next(struct spool_reader *r, struct slice *ret, struct err_info *ei)
{
	uint32_t len;
	int rc = ensure(r, 4, ei);

	if (rc != 0)
		return rc;
	if (available(r) == 0)
		return ERR_NOENT;
	if (available(r) < 4)
		return err_set(ei, ERR_CORRUPT, "%s: cut off", r->path);
	len = get_le32(r->window.ptr + r->at);
	r->at += 4;
	rc = ensure(r, len, ei);
	if (rc != 0)
		return rc;
	if (available(r) < len)
		return err_set(ei, ERR_CORRUPT, "%s: cut off", r->path);
	*ret = len > 0 ? (struct slice){ r->window.ptr + r->at, len } : SLICE("");
	r->at += len;
	return 0;
}
