/*
 * mlog_reader.c - streams a log's records through one window of memory and checks all
 * that can be checked.  Knows the framing, not what a payload means.
 */
#include "mutation-log/mlog_reader.h"

#include "base/mem.h"
#include "mutation-log/mlog_list.h"
#include "mutation-log/mlog_record.h"

#define CHUNK ((size_t)1 << 20)
#define REFRESH_MAX 8 /* without reading a byte between them */

struct mlog_reader {
	struct store *store;
	char *prefix;
	struct mlog_list list;
	struct mlog_pos pos;   /* of the next record */
	struct buf window;     /* bytes of the segment at hand, from window_at on */
	uint64_t window_at;    /* segment offset of window.ptr[0] */
	struct sha224 *digest; /* of the segment at hand, up to the window's end */
	bool refreshed;        /* the segment at hand changed its name on the way */
	int failed;            /* latched, with its text */
	struct err_info why;
};

static const struct mlog_segment *
segment_at_hand(const struct mlog_reader *r)
{
	return &r->list.log[r->pos.segment].segment;
}

/* Is everything up to the log's end returned? */
static bool
is_at_end(const struct mlog_reader *r)
{
	return r->pos.segment >= r->list.log_count;
}

/* Say in which segment, and where in it, something is wrong. */
static int
place_error(const struct mlog_reader *r, int code, struct err_info *ei)
{
	char name[MLOG_OBJECT_NAME_SIZE];

	mlog_object_name(r->prefix, segment_at_hand(r), name);
	return err_wrap(
	    ei, code, "segment %s offset 0x%llx", name, (unsigned long long)r->pos.offset);
}

static int
begin_segment(struct mlog_reader *r)
{
	buf_reset(&r->window);
	r->window_at = 0;
	r->refreshed = false;
	return sha224_reset(r->digest);
}

/*
 * The segment at hand is gone: its writer has put a longer one in its place, or
 * the log was replaced.  Look again; what was read so far must still be a part of it,
 * which the digest will tell.
 */
static int
refresh(struct mlog_reader *r, struct err_info *ei)
{
	struct mlog_list now = { 0 };
	int rc = mlog_list_load(r->store, r->prefix, &now, ei);
	uint64_t have = r->window_at + r->window.len;

	if (rc != 0)
		return rc;
	if (r->pos.segment >= now.log_count || now.log[r->pos.segment].segment.size < have) {
		mlog_list_clear(&now);
		return err_set(ei, ERR_STALE, "the log was replaced while it was read");
	}
	mlog_list_clear(&r->list);
	r->list = now;
	r->refreshed = true;
	return 0;
}

/* Append the next bytes of the segment to the window, `want` or all that there are. */
static int
fetch(struct mlog_reader *r, size_t want, struct err_info *ei)
{
	char name[MLOG_OBJECT_NAME_SIZE];
	size_t before = r->window.len;
	int rc = ERR_NOENT, again;

	for (int i = 0; rc == ERR_NOENT && i < REFRESH_MAX; i++) {
		struct store_range range = {
			.generation = STORE_ANY, .offset = r->window_at + before, .len = want
		};
		uint64_t left = segment_at_hand(r)->size - range.offset;

		if (range.len > left)
			range.len = (size_t)left;
		mlog_object_name(r->prefix, segment_at_hand(r), name);
		rc = store_read(r->store, name, &range, &r->window, NULL, ei);
		if (rc == 0 && r->window.len - before != range.len)
			return err_set(ei, ERR_CORRUPT, "truncated: %llu bytes were listed",
			    (unsigned long long)segment_at_hand(r)->size);
		again = rc == ERR_NOENT ? refresh(r, ei) : 0;
		if (again != 0)
			return again;
	}
	if (rc == ERR_NOENT)
		return err_set(ei, ERR_STALE, "replaced faster than it can be read");
	return rc != 0 ? rc
		       : sha224_add(r->digest, r->window.ptr + before, r->window.len - before);
}

/* Forget the window's bytes before the position. */
static void
drop_consumed(struct mlog_reader *r)
{
	uint64_t gone = r->pos.offset - r->window_at;

	if (gone >= r->window.len)
		gone = r->window.len; /* still skipping to the first position */
	if (gone == 0)
		return;
	r->window.len -= (size_t)gone;
	memmove(r->window.ptr, r->window.ptr + gone, r->window.len);
	r->window_at += gone;
}

/* Bytes that the window holds from the position on. */
static size_t
available(const struct mlog_reader *r)
{
	uint64_t end = r->window_at + r->window.len;

	return end <= r->pos.offset ? 0 : (size_t)(end - r->pos.offset);
}

/* Have `len` bytes at the position, or all up to the segment's end. */
static int
ensure(struct mlog_reader *r, size_t len, struct err_info *ei)
{
	while (available(r) < len && r->window_at + r->window.len < segment_at_hand(r)->size) {
		size_t lack = len - available(r);
		int rc;

		drop_consumed(r);
		rc = fetch(r, lack > CHUNK ? lack : CHUNK, ei);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* The segment at hand is read: check its digest. */
static int
end_segment(struct mlog_reader *r, struct err_info *ei)
{
	char got[SHA224_HEX_LEN + 1];
	int rc = sha224_peek_hex(r->digest, got);

	if (rc != 0)
		return rc;
	if (strcmp(got, segment_at_hand(r)->sha224) == 0)
		return 0;
	if (r->refreshed)
		return err_set(ei, ERR_STALE, "the segment was replaced while it was read");
	return err_set(ei, ERR_CORRUPT, "hash mismatch: the content's sha224 is %s", got);
}

/* Pass over the ends of segments; ERR_NOENT behind the last one. */
static int
find_segment(struct mlog_reader *r, struct err_info *ei)
{
	while (!is_at_end(r) && r->pos.offset == segment_at_hand(r)->size) {
		/* Empty, or skipped to the end: what was not fetched is not hashed yet. */
		int rc = ensure(r, 1, ei);

		if (rc == 0)
			rc = end_segment(r, ei);
		if (rc != 0)
			return place_error(r, rc, ei);
		r->pos = (struct mlog_pos){ r->pos.segment + 1, 0 };
		rc = begin_segment(r);
		if (rc != 0)
			return rc;
	}
	return is_at_end(r) ? err_set(ei, ERR_NOENT, "the log ends here") : 0;
}

static int
read_record(struct mlog_reader *r, size_t *ret_header, size_t *ret_payload, struct err_info *ei)
{
	size_t header, payload;
	struct slice seen;
	int rc;

	rc = ensure(r, MLOG_HEADER_MAX, ei);
	if (rc != 0)
		return rc;
	seen = (struct slice){ r->window.ptr + (r->pos.offset - r->window_at), available(r) };
	rc = mlog_record_parse(seen, r->pos.offset, &header, &payload, ei);
	if (rc != 0)
		return ERR_CORRUPT; /* a short header cannot grow: the segment ends in it */
	if (payload > segment_at_hand(r)->size - r->pos.offset - header)
		return err_set(ei, ERR_CORRUPT,
		    "truncated: the record says %zu bytes, the segment has %llu", payload,
		    (unsigned long long)(segment_at_hand(r)->size - r->pos.offset - header));
	rc = ensure(r, header + payload, ei);
	*ret_header = header;
	*ret_payload = payload;
	return rc;
}

int
mlog_reader_next(struct mlog_reader *r, struct slice *ret_payload, struct mlog_pos *ret_at,
    struct err_info *ei)
{
	size_t header = 0, payload = 0;
	int rc = r->failed;

	if (rc == 0)
		rc = find_segment(r, &r->why);
	if (rc == 0) {
		rc = read_record(r, &header, &payload, &r->why);
		if (rc != 0)
			place_error(r, rc, &r->why);
	}
	if (rc != 0) {
		r->failed = rc;
		if (ei != NULL)
			*ei = r->why;
		return rc;
	}
	*ret_at = r->pos;
	*ret_payload =
	    (struct slice){ r->window.ptr + (r->pos.offset - r->window_at) + header, payload };
	r->pos.offset += header + payload;
	return 0;
}

/* Set the first position; see mlog_reader_open() for what it may be. */
static int
start_at(struct mlog_reader *r, struct mlog_pos from, struct err_info *ei)
{
	size_t count = r->list.log_count;
	uint64_t size = from.segment < count ? r->list.log[from.segment].segment.size : 0;

	if (from.segment > count || from.offset > size)
		return err_set(ei, ERR_CONFLICT,
		    "log %s ends at %u:0x%llx, before the position %u:0x%llx", r->prefix,
		    (unsigned)mlog_list_end(&r->list).segment,
		    (unsigned long long)mlog_list_end(&r->list).offset, (unsigned)from.segment,
		    (unsigned long long)from.offset);
	if (from.offset > 0 && from.offset == size)
		from = (struct mlog_pos){ from.segment + 1, 0 };
	r->pos = from;
	return begin_segment(r);
}

int
mlog_reader_open(struct store *s, const char *prefix, struct mlog_pos from,
    struct mlog_reader **ret, struct err_info *ei)
{
	struct mlog_reader *r;
	int rc = mlog_prefix_check(prefix, ei);

	if (rc != 0)
		return rc;
	r = mem_zalloc(sizeof(*r));
	if (r == NULL)
		return ERR_NOMEM;
	buf_init(&r->window, MLOG_HEADER_MAX + MLOG_RECORD_MAX + 2 * CHUNK);
	r->store = s;
	r->prefix = mem_strdup(prefix);
	rc = r->prefix == NULL ? ERR_NOMEM : sha224_new(&r->digest);
	if (rc == 0)
		rc = mlog_list_load(s, prefix, &r->list, ei);
	if (rc == 0)
		rc = start_at(r, from, ei);
	if (rc == 0) {
		*ret = r;
		r = NULL;
	}
	mlog_reader_close(r);
	return rc;
}

void
mlog_reader_close(struct mlog_reader *r)
{
	if (r == NULL)
		return;
	mlog_list_clear(&r->list);
	buf_clear(&r->window);
	sha224_free(r->digest);
	mem_free(r->prefix);
	mem_free(r);
}

struct mlog_pos
mlog_reader_pos(const struct mlog_reader *r)
{
	return is_at_end(r) ? mlog_list_end(&r->list) : r->pos;
}

struct mlog_pos
mlog_reader_end(const struct mlog_reader *r)
{
	return mlog_list_end(&r->list);
}

size_t
mlog_reader_segment_count(const struct mlog_reader *r)
{
	return r->list.log_count;
}

const struct mlog_segment *
mlog_reader_segment(const struct mlog_reader *r, size_t i)
{
	return &r->list.log[i].segment;
}

uint64_t
mlog_reader_total_bytes(const struct mlog_reader *r)
{
	uint64_t total = 0;

	for (size_t i = 0; i < r->list.log_count; i++)
		total += r->list.log[i].segment.size;
	return total;
}
