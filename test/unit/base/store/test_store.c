/* test_store.c - what every store must do, run over each implementation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/store/store_mem.h"
#include "test/unit/base/store/tmp_dir.h"

struct fixture {
	struct store *s;
	char dir[TMP_DIR_SIZE]; /* "" for the store in memory */
};

static struct store *
store_of(void **state)
{
	return ((struct fixture *)*state)->s;
}

static int
set_up_mem(void **state)
{
	static struct fixture fx;

	fx = (struct fixture){ 0 };
	*state = &fx;
	return store_mem_new(true, &fx.s);
}

static int
set_up_dir(void **state)
{
	static struct fixture fx;
	char url[TMP_DIR_SIZE + 32];

	fx = (struct fixture){ 0 };
	*state = &fx;
	if (tmp_dir_make(fx.dir) != 0)
		return -1;
	snprintf(url, sizeof(url), "file://%s/not/yet/there", fx.dir);
	return store_open(url, &fx.s, NULL);
}

static int
tear_down(void **state)
{
	struct fixture *fx = *state;

	store_close(fx->s);
	if (fx->dir[0] != '\0')
		tmp_dir_remove(fx->dir);
	return 0;
}

static void
put(struct store *s, const char *name, const char *text)
{
	assert_int_equal(store_put(s, name, slice_str(text), STORE_ANY, NULL, NULL), 0);
}

static void
assert_content(struct store *s, const char *name, const char *want)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	assert_int_equal(store_get(s, name, 1 << 20, &b, NULL, NULL), 0);
	assert_string_equal(buf_cstr(&b), want);
	buf_clear(&b);
}

static void
an_empty_store_lists_nothing_and_has_nothing(void **state)
{
	struct store *s = store_of(state);
	struct store_list l = { 0 };
	struct store_object o;
	struct buf b;

	buf_init(&b, 100);
	assert_int_equal(store_list(s, "", &l, NULL), 0);
	assert_int_equal(l.count, 0);
	assert_int_equal(store_list(s, "a/b/", &l, NULL), 0);
	assert_int_equal(l.count, 0);
	assert_int_equal(store_stat(s, "x", &o, NULL), ERR_NOENT);
	assert_int_equal(store_get(s, "a/x", 100, &b, NULL, NULL), ERR_NOENT);
	assert_int_equal(store_delete(s, "a/x", STORE_ANY, NULL), ERR_NOENT);
	buf_clear(&b);
}

static void
an_object_reads_back_whole_and_in_part(void **state)
{
	static const struct {
		uint64_t offset;
		size_t len;
		const char *want;
	} cases[] = {
		{ 0, 10, "0123456789" },
		{ 0, 100, "0123456789" },
		{ 3, 4, "3456" },
		{ 9, 9, "9" },
		{ 10, 5, "" },
		{ UINT64_MAX, 5, "" },
		{ 2, 0, "" },
	};
	struct store *s = store_of(state);

	put(s, "owner/.github/x", "0123456789");
	assert_content(s, "owner/.github/x", "0123456789");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct store_range r = { STORE_ANY, cases[i].offset, cases[i].len };
		struct store_object meta = { 0 };
		struct buf b;

		buf_init(&b, 100);
		assert_int_equal(store_read(s, "owner/.github/x", &r, &b, &meta, NULL), 0);
		assert_string_equal(buf_cstr(&b), cases[i].want);
		assert_int_equal(meta.size, 10);
		buf_clear(&b);
	}
}

static void
a_limit_is_kept_and_leaves_the_buffer_as_it_was(void **state)
{
	struct store *s = store_of(state);
	struct buf b;

	put(s, "x", "0123456789");
	buf_init(&b, 100);
	buf_str(&b, "keep");
	assert_int_equal(store_get(s, "x", 9, &b, NULL, NULL), ERR_LIMIT);
	assert_string_equal(buf_cstr(&b), "keep");
	assert_int_equal(store_get(s, "x", 10, &b, NULL, NULL), 0);
	assert_string_equal(buf_cstr(&b), "keep0123456789");
	buf_clear(&b);
	buf_init(&b, 5);
	assert_int_equal(store_get(s, "x", 100, &b, NULL, NULL), ERR_LIMIT);
	assert_int_equal(buf_err(&b), 0);
	buf_clear(&b);
}

static void
a_write_happens_only_when_its_precondition_holds(void **state)
{
	struct store *s = store_of(state);
	struct err_info ei = { 0 };
	int64_t g1, g2, g3;

	assert_int_equal(store_put(s, "w", SLICE("0"), 7, NULL, &ei), ERR_CONFLICT);
	assert_non_null(strstr(ei.text, "w is gone"));
	assert_int_equal(store_put(s, "w", SLICE("1"), STORE_ABSENT, &g1, NULL), 0);
	assert_true(g1 > 0);
	assert_int_equal(store_put(s, "w", SLICE("2"), STORE_ABSENT, NULL, NULL), ERR_CONFLICT);
	assert_content(s, "w", "1");
	assert_int_equal(store_put(s, "w", SLICE("2"), g1, &g2, NULL), 0);
	assert_true(g2 > g1);
	assert_int_equal(store_put(s, "w", SLICE("3"), g1, NULL, NULL), ERR_CONFLICT);
	assert_content(s, "w", "2");
	assert_int_equal(store_put(s, "w", SLICE("2"), STORE_ANY, &g3, NULL), 0);
	assert_true(g3 > g2);
	assert_int_equal(store_delete(s, "w", g2, NULL), ERR_CONFLICT);
	assert_int_equal(store_delete(s, "w", STORE_ABSENT, NULL), ERR_INVAL);
	assert_int_equal(store_delete(s, "w", g3, NULL), 0);
	assert_int_equal(store_delete(s, "w", g3, NULL), ERR_NOENT);
}

static void
a_pinned_generation_reads_that_content_or_nothing(void **state)
{
	struct store *s = store_of(state);
	struct store_range r = { .len = 10 };
	struct store_object o = { 0 };
	struct buf b;

	buf_init(&b, 100);
	assert_int_equal(store_put(s, "x", SLICE("old"), STORE_ANY, &r.generation, NULL), 0);
	assert_int_equal(store_read(s, "x", &r, &b, NULL, NULL), 0);
	put(s, "x", "new");
	assert_int_equal(store_read(s, "x", &r, &b, NULL, NULL), ERR_STALE);
	assert_int_equal(store_stat(s, "x", &o, NULL), 0);
	assert_int_not_equal(o.generation, r.generation);
	buf_clear(&b);
}

static void
a_listing_is_sorted_and_holds_what_the_prefix_says(void **state)
{
	static const char *const names[] = { "b/r/1", "b/r/0", "b/r/sub/2", "b/r.x/0", "a/r/0",
		"b/.github/0", "b/rr", "top" };
	static const struct {
		const char *prefix;
		const char *want;
	} cases[] = {
		{ "b/r/", "b/r/0 b/r/1 b/r/sub/2 " },
		{ "b/r", "b/r.x/0 b/r/0 b/r/1 b/r/sub/2 b/rr " },
		{ "b/r/sub", "b/r/sub/2 " },
		{ "b/.github/", "b/.github/0 " },
		{ "top", "top " },
		{ "topp", "" },
		{ "b/r/1/", "" },
		{ "/", "" },
		{ "../", "" },
		{ "", "a/r/0 b/.github/0 b/r.x/0 b/r/0 b/r/1 b/r/sub/2 b/rr top " },
	};
	struct store *s = store_of(state);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		put(s, names[i], names[i]);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct store_list l = { 0 };
		struct buf got;

		buf_init(&got, 1000);
		assert_int_equal(store_list(s, cases[i].prefix, &l, NULL), 0);
		for (size_t j = 0; j < l.count; j++) {
			buf_fmt(&got, "%s ", l.items[j].name);
			assert_int_equal(l.items[j].size, strlen(l.items[j].name));
			assert_true(l.items[j].generation > 0);
			assert_ptr_equal(store_list_find(&l, l.items[j].name), &l.items[j]);
		}
		assert_null(store_list_find(&l, "b/r/00"));
		assert_string_equal(buf_cstr(&got), cases[i].want);
		store_list_clear(&l);
		buf_clear(&got);
	}
}

static void
illegal_names_are_refused_by_every_operation(void **state)
{
	static const char *const names[] = { "", "/", "/x", "x/", "a//b", ".", "..", "a/..",
		"a/../b", "./a", ".maintner-lock", "a/.maintner-tmp", "a\nb", "a\tb" };
	struct store *s = store_of(state);
	struct store_lock *lock;
	char longest[STORE_NAME_MAX + 2];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct store_object o;

		assert_int_equal(
		    store_put(s, names[i], SLICE("x"), STORE_ANY, NULL, NULL), ERR_INVAL);
		assert_int_equal(store_stat(s, names[i], &o, NULL), ERR_INVAL);
		assert_int_equal(store_delete(s, names[i], STORE_ANY, NULL), ERR_INVAL);
		assert_int_equal(store_lock(s, names[i], &lock, NULL), ERR_INVAL);
	}
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(store_name_check(longest, NULL), ERR_INVAL);
	longest[STORE_NAME_MAX] = '\0';
	assert_int_equal(store_name_check(longest, NULL), 0);
	assert_int_equal(store_name_check(".github/.maintner/..x", NULL), 0);
}

static void
a_lock_is_held_once_and_makes_no_object(void **state)
{
	struct store *s = store_of(state);
	struct store_lock *a, *b = NULL;
	struct store_list l;

	assert_int_equal(store_lock(s, "o/r/WRITER", &a, NULL), 0);
	assert_int_equal(store_lock(s, "o/r/WRITER", &b, NULL), ERR_BUSY);
	assert_null(b);
	assert_int_equal(store_lock(s, "o/r2/WRITER", &b, NULL), 0);
	assert_int_equal(store_list(s, "", &l, NULL), 0);
	assert_int_equal(l.count, 0);
	store_unlock(a);
	store_unlock(b);
	store_unlock(NULL);
	assert_int_equal(store_lock(s, "o/r/WRITER", &a, NULL), 0);
	store_unlock(a);
}

static void
every_allocation_failure_is_reported_and_harmless(void **state)
{
	struct store *s = store_of(state);
	struct store_list l = { 0 };
	struct store_lock *lock = NULL;
	int rc = ERR_NOMEM;
	struct buf b;

	for (int i = 0; i < 40; i++) {
		char name[32];

		snprintf(name, sizeof(name), "many/%d", i);
		put(s, name, "x");
	}
	for (long n = 0; rc != 0; n++) {
		mem_fail_after(n);
		rc = store_list(s, "", &l, NULL);
		mem_fail_after(MEM_NEVER);
		assert_true(rc == 0 || (rc == ERR_NOMEM && l.count == 0));
	}
	assert_int_equal(l.count, 40);
	store_list_clear(&l);
	rc = ERR_NOMEM;
	for (long n = 0; rc != 0; n++) {
		mem_fail_after(n);
		rc = store_lock(s, "many/lock", &lock, NULL);
		mem_fail_after(MEM_NEVER);
		assert_true(rc == 0 || (rc == ERR_NOMEM && lock == NULL));
	}
	store_unlock(lock);
	rc = ERR_NOMEM;
	for (long n = 0; rc != 0; n++) {
		mem_fail_after(n);
		rc = store_put(s, "many/new", SLICE("new"), STORE_ABSENT, NULL, NULL);
		mem_fail_after(MEM_NEVER);
		assert_true(rc == 0 || rc == ERR_NOMEM);
	}
	rc = ERR_NOMEM;
	buf_init(&b, 10);
	for (long n = 0; rc != 0; n++) {
		mem_fail_after(n);
		rc = store_get(s, "many/new", 10, &b, NULL, NULL);
		mem_fail_after(MEM_NEVER);
		assert_true(rc == 0 || (rc == ERR_NOMEM && b.len == 0));
	}
	buf_clear(&b);
}

static void
urls_open_or_say_why_not(void **state)
{
	static const struct {
		const char *url;
		int want;
	} cases[] = {
		{ "gs://bucket/prefix", 0 },
		{ "gs://bucket", 0 },
		{ "gs://", ERR_INVAL },
		{ "gs://Bucket/x", ERR_INVAL },
		{ "gs://bucket//x", ERR_INVAL },
		{ "file://relative", ERR_INVAL },
		{ "/plain/path", ERR_INVAL },
		{ "", ERR_INVAL },
		{ "http://x/", ERR_INVAL },
		{ "file:///", 0 },
		{ "file:///some/folder/", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err_info ei = { 0 };
		struct store *s = NULL;

		assert_int_equal(store_open(cases[i].url, &s, &ei), cases[i].want);
		assert_true((s == NULL) == (cases[i].want != 0));
		assert_true((ei.text[0] == '\0') == (cases[i].want == 0));
		store_close(s);
	}
	store_close(NULL);
}

#define BOTH(test)                                                                             \
	{ #test " (memory)", test, set_up_mem, tear_down, NULL },                              \
	{                                                                                      \
#test " (directory)", test, set_up_dir, tear_down, NULL                        \
	}

static void
the_url_of_an_object_is_cut_in_two(void **state)
{
	static const struct {
		const char *url, *store, *name;
	} good[] = { { "gs://bucket/repos.json", "gs://bucket", "repos.json" },
		{ "gs://bucket/a/b/repos.json", "gs://bucket/a/b", "repos.json" },
		{ "file:///etc/x/repos.json", "file:///etc/x", "repos.json" } };
	static const char *const bad[] = { "", "gs://bucket", "gs://bucket/", "gs:///x",
		"file:///repos.json", "/etc/x", "x" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const char *name;
		char *store;

		assert_int_equal(store_url_split(good[i].url, &store, &name, NULL), 0);
		assert_string_equal(store, good[i].store);
		assert_string_equal(name, good[i].name);
		mem_free(store);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err_info ei = { .text = "" };
		const char *name;
		char *store;

		assert_int_equal(store_url_split(bad[i], &store, &name, &ei), ERR_INVAL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(an_empty_store_lists_nothing_and_has_nothing),
		BOTH(an_object_reads_back_whole_and_in_part),
		BOTH(a_limit_is_kept_and_leaves_the_buffer_as_it_was),
		BOTH(a_write_happens_only_when_its_precondition_holds),
		BOTH(a_pinned_generation_reads_that_content_or_nothing),
		BOTH(a_listing_is_sorted_and_holds_what_the_prefix_says),
		BOTH(illegal_names_are_refused_by_every_operation),
		BOTH(a_lock_is_held_once_and_makes_no_object),
		BOTH(every_allocation_failure_is_reported_and_harmless),
		cmocka_unit_test(urls_open_or_say_why_not),
		cmocka_unit_test(the_url_of_an_object_is_cut_in_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
