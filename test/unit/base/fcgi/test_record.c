/* test_record.c - the codec: round trips, every split of a stream, hostile lengths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fcgi/record.h"
#include "base/mem.h"

static void
headers_survive_a_round_trip(void **state)
{
	static const struct fcgi_header cases[] = {
		{ FCGI_BEGIN_REQUEST, 1, 8, 0 },
		{ FCGI_STDOUT, 65535, 65535, 255 },
		{ FCGI_GET_VALUES, 0, 0, 7 },
		{ 255, 256, 256, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fcgi_header got;
		char raw[FCGI_HEADER_BYTES];

		fcgi_header_encode(raw, &cases[i]);
		assert_int_equal(fcgi_header_decode(raw, &got), 0);
		assert_int_equal(got.type, cases[i].type);
		assert_int_equal(got.id, cases[i].id);
		assert_int_equal(got.content_bytes, cases[i].content_bytes);
		assert_int_equal(got.padding_bytes, cases[i].padding_bytes);
	}
}

static void
another_version_is_refused(void **state)
{
	struct fcgi_header got = { .id = 99 };

	(void)state;
	for (int v = 0; v < 256; v++) {
		char raw[FCGI_HEADER_BYTES] = { (char)v, FCGI_STDIN };

		assert_int_equal(fcgi_header_decode(raw, &got), v == 1 ? 0 : ERR_PROTO);
	}
	assert_int_equal(got.id, 0);
}

static void
pairs_survive_a_round_trip(void **state)
{
	static const size_t lengths[] = { 0, 1, 127, 128, 129, 255, 256, 65535, 70000 };
	char text[70000];
	struct buf b;

	(void)state;
	memset(text, 'x', sizeof(text));
	buf_init(&b, 1 << 20);
	for (size_t i = 0; i < 9; i++) {
		for (size_t j = 0; j < 9; j++) {
			struct slice rest;
			struct fcgi_pair p;

			buf_reset(&b);
			fcgi_pair_add(&b, (struct slice){ text, lengths[i] },
			    (struct slice){ text, lengths[j] });
			rest = buf_view(&b);
			assert_int_equal(fcgi_pair_next(&rest, &p), 1);
			assert_int_equal(p.name.len, lengths[i]);
			assert_int_equal(p.value.len, lengths[j]);
			assert_int_equal(fcgi_pair_next(&rest, &p), 0);
			/* Every cut is noticed. */
			for (size_t cut = 1; cut<b.len; cut += b.len> 600 ? 997 : 1) {
				rest = (struct slice){ b.ptr, cut };
				assert_int_equal(fcgi_pair_next(&rest, &p), ERR_PROTO);
				assert_int_equal(rest.len, cut);
			}
		}
	}
	buf_clear(&b);
}

static void
lengths_beyond_the_content_are_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{ "\x01", 1 },
		{ "\x80", 1 },
		{ "\x80\x00\x00", 3 },
		{ "\x01\x01y", 3 },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff", 8 },
		{ "\xff\xff\xff\xff\x00", 5 },
		{ "\x00\xff\xff\xff\xffyyyy", 9 },
		{ "\x80\x00\x00\x05\x00name", 9 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice rest = { cases[i].bytes, cases[i].len };
		struct fcgi_pair p = { SLICE("kept"), SLICE("") };

		assert_int_equal(fcgi_pair_next(&rest, &p), ERR_PROTO);
		assert_true(slice_is(p.name, "kept"));
	}
}

static void
values_are_answered_once_and_only_if_known(void **state)
{
	struct buf ask, b;
	struct fcgi_header h;
	struct fcgi_pair p;
	struct slice rest;

	(void)state;
	buf_init(&ask, 1000);
	buf_init(&b, 1000);
	for (int i = 0; i < 3; i++)
		fcgi_pair_add(&ask, SLICE("FCGI_MPXS_CONNS"), SLICE(""));
	fcgi_pair_add(&ask, SLICE("FCGI_NOPE"), SLICE(""));
	fcgi_pair_add(&ask, SLICE("FCGI_MAX_REQS"), SLICE(""));
	assert_int_equal(fcgi_add_values(&b, buf_view(&ask), 4294967295u, 17), 0);
	assert_int_equal(fcgi_header_decode(b.ptr, &h), 0);
	assert_int_equal(h.type, FCGI_GET_VALUES_RESULT);
	assert_int_equal(h.content_bytes, b.len - FCGI_HEADER_BYTES);
	rest = (struct slice){ b.ptr + FCGI_HEADER_BYTES, h.content_bytes };
	assert_int_equal(fcgi_pair_next(&rest, &p), 1);
	assert_true(slice_is(p.name, "FCGI_MAX_REQS") && slice_is(p.value, "17"));
	assert_int_equal(fcgi_pair_next(&rest, &p), 1);
	assert_true(slice_is(p.name, "FCGI_MPXS_CONNS") && slice_is(p.value, "1"));
	assert_int_equal(fcgi_pair_next(&rest, &p), 0);
	buf_reset(&b);
	assert_int_equal(fcgi_add_values(&b, SLICE("\x10"), 1, 1), ERR_PROTO);
	assert_int_equal(b.len, 0);
	buf_clear(&ask);
	buf_clear(&b);
}

/* A log of what a reader gave, one line a record; pieces of a record are joined. */
static int
note(void *ctx, const struct fcgi_header *h, struct slice piece, bool last)
{
	struct buf *log = ctx;

	if (log->len == 0 || log->ptr[log->len - 1] == '\n') {
		buf_u64(log, h->type);
		buf_char(log, ' ');
		buf_u64(log, h->id);
		buf_char(log, ' ');
	}
	buf_slice(log, piece);
	if (last)
		buf_char(log, '\n');
	return 0;
}

static void
add_padded(struct buf *b, uint8_t type, struct slice content, uint8_t padding)
{
	struct fcgi_header h = { type, 3, (uint16_t)content.len, padding };
	char raw[FCGI_HEADER_BYTES];
	char zeros[256] = { 0 };

	fcgi_header_encode(raw, &h);
	buf_add(b, raw, sizeof(raw));
	buf_slice(b, content);
	buf_add(b, zeros, padding);
}

static void
make_stream(struct buf *b)
{
	struct fcgi_begin begin = { FCGI_RESPONDER, FCGI_KEEP_CONN };
	struct fcgi_end end = { 5, FCGI_OVERLOADED };

	fcgi_add_begin(b, 3, &begin);
	add_padded(b, FCGI_PARAMS, SLICE("abcdefghi"), 7);
	add_padded(b, FCGI_PARAMS, SLICE(""), 3);
	add_padded(b, FCGI_STDIN, SLICE("xyz"), 0);
	fcgi_add_stream_end(b, FCGI_STDIN, 3);
	fcgi_add_abort(b, 3);
	fcgi_add_unknown_type(b, 'u');
	fcgi_add_end(b, 3, &end);
}

static void
every_split_of_a_stream_gives_the_same_records(void **state)
{
	struct buf b, want, got;

	(void)state;
	buf_init(&b, 4096);
	buf_init(&want, 4096);
	buf_init(&got, 4096);
	make_stream(&b);
	for (size_t first = 0; first <= b.len; first++) {
		for (size_t second = first; second <= b.len; second += 3) {
			struct buf *log = first == 0 && second == 0 ? &want : &got;
			struct fcgi_reader r;

			fcgi_reader_init(&r);
			buf_reset(log);
			assert_int_equal(
			    fcgi_reader_feed(&r, (struct slice){ b.ptr, first }, note, log), 0);
			assert_int_equal(
			    fcgi_reader_feed(
				&r, (struct slice){ b.ptr + first, second - first }, note, log),
			    0);
			assert_int_equal(
			    fcgi_reader_feed(&r,
				(struct slice){ b.ptr + second, b.len - second }, note, log),
			    0);
			assert_true(fcgi_reader_at_start(&r));
			if (log == &got)
				assert_true(slice_eq(buf_view(&got), buf_view(&want)));
		}
	}
	buf_clear(&b);
	buf_clear(&want);
	buf_clear(&got);
}

static int
refuse(void *ctx, const struct fcgi_header *h, struct slice piece, bool last)
{
	(void)h;
	(void)piece;
	(void)last;
	++*(int *)ctx;
	return ERR_CANCELED;
}

static void
fixed_bodies_have_their_length_and_callbacks_can_stop(void **state)
{
	static const uint8_t fixed[] = { FCGI_BEGIN_REQUEST, FCGI_END_REQUEST,
		FCGI_UNKNOWN_TYPE };
	int calls = 0;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (uint16_t len = 0; len < 20; len++) {
			struct fcgi_header h = { fixed[i], 1, len, 0 };
			struct fcgi_reader r;
			char raw[FCGI_HEADER_BYTES];

			fcgi_reader_init(&r);
			fcgi_header_encode(raw, &h);
			assert_int_equal(
			    fcgi_reader_feed(&r, (struct slice){ raw, 8 }, refuse, &calls),
			    len == 8 ? 0 : ERR_PROTO);
			if (len == 8)
				assert_int_equal(
				    fcgi_reader_feed(&r, SLICE("12345678more"), refuse, &calls),
				    ERR_CANCELED);
		}
	}
	assert_int_equal(calls, 3);
}

static void
long_data_is_cut_into_aligned_records(void **state)
{
	char *data = mem_zalloc(200000);
	struct buf b;
	size_t at = 0, total = 0;

	(void)state;
	assert_non_null(data);
	buf_init(&b, 1 << 20);
	fcgi_add_stream(&b, FCGI_STDOUT, 1, (struct slice){ data, 200000 });
	while (at < b.len) {
		struct fcgi_header h;

		assert_int_equal(fcgi_header_decode(b.ptr + at, &h), 0);
		assert_in_range(h.content_bytes, 1, FCGI_CONTENT_ALIGNED);
		total += h.content_bytes;
		at += FCGI_HEADER_BYTES + (size_t)h.content_bytes;
	}
	assert_int_equal(total, 200000);
	buf_clear(&b);
	mem_free(data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_survive_a_round_trip),
		cmocka_unit_test(another_version_is_refused),
		cmocka_unit_test(pairs_survive_a_round_trip),
		cmocka_unit_test(lengths_beyond_the_content_are_refused),
		cmocka_unit_test(values_are_answered_once_and_only_if_known),
		cmocka_unit_test(every_split_of_a_stream_gives_the_same_records),
		cmocka_unit_test(fixed_bodies_have_their_length_and_callbacks_can_stop),
		cmocka_unit_test(long_data_is_cut_into_aligned_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
