/*
 * record.h - the FastCGI 1.0 wire format: records, their bodies, name-value pairs.
 *
 * Pure functions over bytes: no sockets, no memory of its own, no clock.  Section
 * numbers are those of the FastCGI Specification 1.0.
 */
#pragma once

#include "base/buf.h"

#define FCGI_HEADER_BYTES 8
#define FCGI_BODY_BYTES 8 /* content of BEGIN_REQUEST, END_REQUEST and UNKNOWN_TYPE */
#define FCGI_CONTENT_MAX 65535
#define FCGI_CONTENT_ALIGNED 65528 /* the most that needs no padding (3.3: multiples of 8) */
#define FCGI_END_BYTES (FCGI_HEADER_BYTES + FCGI_BODY_BYTES)

enum fcgi_type { /* section 8 */
	FCGI_BEGIN_REQUEST = 1,
	FCGI_ABORT_REQUEST = 2,
	FCGI_END_REQUEST = 3,
	FCGI_PARAMS = 4,
	FCGI_STDIN = 5,
	FCGI_STDOUT = 6,
	FCGI_STDERR = 7,
	FCGI_DATA = 8,
	FCGI_GET_VALUES = 9,
	FCGI_GET_VALUES_RESULT = 10,
	FCGI_UNKNOWN_TYPE = 11,
};

enum fcgi_role {
	FCGI_RESPONDER = 1,
	FCGI_AUTHORIZER = 2,
	FCGI_FILTER = 3,
};

enum fcgi_protocol_status { /* 5.5 */
	FCGI_REQUEST_COMPLETE = 0,
	FCGI_CANT_MPX_CONN = 1,
	FCGI_OVERLOADED = 2,
	FCGI_UNKNOWN_ROLE = 3,
};

#define FCGI_KEEP_CONN 1 /* flag of BEGIN_REQUEST, 5.1 */

struct fcgi_header {
	uint8_t type;
	uint16_t id; /* 0 is for management records, 3.3 */
	uint16_t content_bytes;
	uint8_t padding_bytes;
};

struct fcgi_begin {
	uint16_t role;
	uint8_t flags;
};

struct fcgi_end {
	uint32_t app_status;
	uint8_t protocol_status;
};

struct fcgi_pair {
	struct slice name, value;
};

/* ERR_PROTO unless the version is 1. */
int fcgi_header_decode(const char raw[FCGI_HEADER_BYTES], struct fcgi_header *ret);
void fcgi_header_encode(char raw[FCGI_HEADER_BYTES], const struct fcgi_header *h);

void fcgi_begin_decode(const char content[FCGI_BODY_BYTES], struct fcgi_begin *ret);
void fcgi_end_decode(const char content[FCGI_BODY_BYTES], struct fcgi_end *ret);

/* Whole records, appended to `b`. */
void fcgi_add_begin(struct buf *b, uint16_t id, const struct fcgi_begin *begin);
void fcgi_add_abort(struct buf *b, uint16_t id);
void fcgi_add_unknown_type(struct buf *b, uint8_t type);
/* END_REQUEST into 16 bytes. */
void fcgi_end_encode(char raw[FCGI_END_BYTES], uint16_t id, const struct fcgi_end *end);
void fcgi_add_end(struct buf *b, uint16_t id, const struct fcgi_end *end);
/* `data` as records of the stream `type`; nothing for empty data. */
void fcgi_add_stream(struct buf *b, uint8_t type, uint16_t id, struct slice data);
/* The empty record that ends a stream. */
void fcgi_add_stream_end(struct buf *b, uint8_t type, uint16_t id);

/*
 * Take the next pair from the front of `rest` (3.4).  1 with *ret and a shorter
 * `rest`, 0 when `rest` is empty, ERR_PROTO when it is cut short or a length is
 * more than what follows.
 */
int fcgi_pair_next(struct slice *rest, struct fcgi_pair *ret);
/* Append a pair; a length above 2^31 - 1 latches ERR_LIMIT. */
void fcgi_pair_add(struct buf *b, struct slice name, struct slice value);

/*
 * What GET_VALUES asks, answered as one GET_VALUES_RESULT record (4.1): those
 * of FCGI_MAX_CONNS, FCGI_MAX_REQS and FCGI_MPXS_CONNS that `names` holds.
 * ERR_PROTO if `names` is no list of pairs; then nothing is appended.
 */
int fcgi_add_values(
    struct buf *b, struct slice names, unsigned conns_max, unsigned requests_max);

/*
 * A stream of records, fed in pieces of any size.
 *
 * The content of records with a fixed body (BEGIN, END, UNKNOWN_TYPE) is given
 * whole; that of all others in pieces as it arrives.  Padding is skipped.
 */
struct fcgi_reader {
	char raw[FCGI_HEADER_BYTES];
	char body[FCGI_BODY_BYTES];
	unsigned raw_have, body_have;
	struct fcgi_header header;
	size_t content_left, padding_left;
};

/*
 * One piece of a record's content; `last` with its end.  A record without
 * content is one empty piece.  A result other than 0 stops the reader.
 */
typedef int (*fcgi_piece_fn)(
    void *ctx, const struct fcgi_header *h, struct slice piece, bool last);

void fcgi_reader_init(struct fcgi_reader *r);

/*
 * Feed bytes; 0, ERR_PROTO (version, or a fixed body of a wrong length), or what
 * `fn` returned.  After an error the reader is done for.
 */
int fcgi_reader_feed(struct fcgi_reader *r, struct slice in, fcgi_piece_fn fn, void *ctx);

/* True between records. */
bool fcgi_reader_at_start(const struct fcgi_reader *r);
