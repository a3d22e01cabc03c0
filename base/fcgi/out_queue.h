/*
 * out_queue.h - output of one libuv stream, for server and client; base/fcgi only.
 *
 * What is sent is tried at once, from the caller's memory; what the socket does
 * not take is copied to `pending`, and carried by one uv_write at a time from
 * `sending`.  A queue with nothing in it holds no memory.
 */
#pragma once

#include <uv.h>

#include "base/buf.h"

struct out_queue {
	uv_stream_t *stream;
	uv_write_t write;
	struct buf pending; /* bytes that wait */
	struct buf sending; /* bytes that `write` carries; frozen meanwhile */
	bool in_flight;
	size_t last_bytes; /* unsent at the last look: shrinking is progress */
	struct buf *spare; /* one buffer that several queues share to save allocations */
	struct buf *sink;  /* tests: output goes here, and there is no stream */
	/* A write has ended with 0 or a uv error, and nothing is in flight now. */
	void (*on_written)(struct out_queue *q, int status);
	void *data; /* the owner's */
};

/* `stream` is open or will be; `spare` is initialised and outlives the queue. */
void out_queue_init(struct out_queue *q, uv_stream_t *stream, struct buf *spare,
    void (*on_written)(struct out_queue *q, int status), void *data);
/* After the stream's close callback. */
void out_queue_clear(struct out_queue *q);

/*
 * Send or queue all of `iov`.  Something other than 0 (ERR_CLOSED, ERR_NOMEM)
 * means that the stream broke in the middle and must be closed.
 */
int out_queue_send(struct out_queue *q, const uv_buf_t *iov, unsigned count);
int out_queue_send_bytes(struct out_queue *q, const void *data, size_t len);

/* Carry on with what waits, if nothing is in flight; call it after a row of sends. */
int out_queue_kick(struct out_queue *q);

static inline size_t
out_queue_bytes(const struct out_queue *q)
{
	return q->pending.len + q->sending.len;
}

/* Has the peer taken anything since the last call? */
bool out_queue_progressed(struct out_queue *q);
