/* out_queue.c - bytes into a libuv stream; must not know records or whose they are. */
#include "base/fcgi/out_queue.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#define SPARE_BYTES_MAX ((size_t)1 << 20) /* a larger buffer is freed, not kept */

void
out_queue_init(struct out_queue *q, uv_stream_t *stream, struct buf *spare,
    void (*on_written)(struct out_queue *q, int status), void *data)
{
	*q = (struct out_queue){
		.stream = stream, .spare = spare, .on_written = on_written, .data = data
	};
	/* No cap of its own: senders stop at theirs, by out_queue_bytes(). */
	buf_init(&q->pending, SIZE_MAX / 2);
	buf_init(&q->sending, SIZE_MAX / 2);
}

void
out_queue_clear(struct out_queue *q)
{
	buf_clear(&q->pending);
	buf_clear(&q->sending);
}

/* The first buffer of a queue is the spare one, if it is there. */
static void
take_spare(struct out_queue *q)
{
	if (q->pending.ptr == NULL && q->spare->ptr != NULL) {
		q->pending = *q->spare;
		buf_init(q->spare, SIZE_MAX / 2);
	}
}

static void
give_spare(struct out_queue *q, struct buf *b)
{
	buf_reset(b);
	if (q->spare->ptr == NULL && b->cap <= SPARE_BYTES_MAX) {
		*q->spare = *b;
		buf_init(b, SIZE_MAX / 2);
	} else {
		buf_clear(b);
	}
}

/* What of `iov` is past the first `done` bytes. */
static void
keep_rest(struct buf *b, const uv_buf_t *iov, unsigned count, size_t done)
{
	for (unsigned i = 0; i < count; i++) {
		size_t skip = done < iov[i].len ? done : iov[i].len;

		buf_add(b, iov[i].base + skip, iov[i].len - skip);
		done -= skip;
	}
}

/* Bytes taken now, or a negative uv code. */
static int
try_write(struct out_queue *q, const uv_buf_t *iov, unsigned count)
{
	int rc;

	if (q->in_flight || q->pending.len > 0)
		return 0;
	rc = uv_try_write(q->stream, iov, count);
	return rc == UV_EAGAIN ? 0 : rc;
}

int
out_queue_send(struct out_queue *q, const uv_buf_t *iov, unsigned count)
{
	size_t total = 0;
	int done;

	if (q->sink != NULL) {
		keep_rest(q->sink, iov, count, 0);
		return buf_err(q->sink);
	}
	done = try_write(q, iov, count);
	if (done < 0)
		return ERR_CLOSED;
	for (unsigned i = 0; i < count; i++)
		total += iov[i].len;
	if ((size_t)done == total)
		return 0;
	take_spare(q);
	keep_rest(&q->pending, iov, count, (size_t)done);
	return buf_err(&q->pending);
}

int
out_queue_send_bytes(struct out_queue *q, const void *data, size_t len)
{
	/* libuv's type has no const, but it only reads. */
	uv_buf_t iov = { .base = (char *)data, .len = len };

	return out_queue_send(q, &iov, 1);
}

static void
on_write(uv_write_t *w, int status)
{
	struct out_queue *q = w->data;

	q->in_flight = false;
	give_spare(q, &q->sending);
	q->on_written(q, status);
}

int
out_queue_kick(struct out_queue *q)
{
	struct buf swap = q->sending;
	uv_buf_t iov;

	if (q->in_flight || q->pending.len == 0)
		return 0;
	q->sending = q->pending;
	q->pending = swap;
	iov = (uv_buf_t){ .base = q->sending.ptr, .len = q->sending.len };
	q->write.data = q;
	if (uv_write(&q->write, q->stream, &iov, 1, on_write) != 0)
		return ERR_CLOSED;
	q->in_flight = true;
	q->last_bytes = SIZE_MAX;
	return 0;
}

/*
 * Bytes that the peer has not taken, those in the kernel's buffer with them: that
 * one is megabytes for TCP, and is not offered for writing before a third is free.
 */
static size_t
unsent(struct out_queue *q)
{
	size_t bytes = uv_stream_get_write_queue_size(q->stream);
	uv_os_fd_t fd;
	int kernel = 0;

	if (uv_fileno((const uv_handle_t *)q->stream, &fd) == 0 &&
	    ioctl(fd, SIOCOUTQ, &kernel) == 0 && kernel > 0)
		bytes += (size_t)kernel;
	return bytes;
}

bool
out_queue_progressed(struct out_queue *q)
{
	size_t bytes = unsent(q);
	bool moved = bytes < q->last_bytes;

	q->last_bytes = bytes;
	return moved;
}
