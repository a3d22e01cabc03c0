/* Lists against a model: every order and class mask, resumed at every place. */
#include "snap_fixture.h"

#define ISSUES 60U

struct model {
	uint32_t number;
	int64_t created, updated;
	uint32_t comments;
	unsigned cls;
	bool gone;
};

static struct model models[ISSUES];

static unsigned
random_below(unsigned *seed, unsigned n)
{
	*seed = *seed * 1103515245U + 12345U;
	return (*seed >> 16) % n;
}

static void
change_one(struct snap_fixture *fx, struct snap_txn *t, unsigned *seed)
{
	struct model *m = &models[random_below(seed, ISSUES)];
	struct snap_issue_edit *e = fx_edit(fx, t, m->number);

	m->created = m->created != 0 ? m->created : 1 + random_below(seed, 20);
	m->updated = random_below(seed, 20);
	m->comments = random_below(seed, 5);
	m->cls = random_below(seed, SNAP_CLASS_COUNT);
	m->gone = random_below(seed, 8) == 0;
	e->created_ms = m->created;
	e->updated_ms = m->updated;
	e->comment_count = m->comments;
	e->flags = SNAP_ISSUE_SEEN | ((m->cls & 1) != 0 ? SNAP_ISSUE_PULL : 0U) |
		   ((m->cls & 2) != 0 ? SNAP_ISSUE_CLOSED : 0U) |
		   (m->gone ? SNAP_ISSUE_NOT_EXIST : 0U);
	fx_store(fx, t);
}

static enum snap_order sort_order;

static int64_t
key_of(const struct model *m)
{
	return sort_order == SNAP_BY_NUMBER    ? 0
	       : sort_order == SNAP_BY_CREATED ? m->created
	       : sort_order == SNAP_BY_UPDATED ? m->updated
					       : (int64_t)m->comments;
}

static int
compare_models(const void *a, const void *b)
{
	const struct model *x = a, *y = b;

	if (key_of(x) != key_of(y))
		return key_of(x) < key_of(y) ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* The numbers that a list must give, in order. */
static size_t
expected(unsigned classes, bool descending, uint32_t *ret)
{
	struct model sorted[ISSUES];
	size_t n = 0;

	memcpy(sorted, models, sizeof(sorted));
	qsort(sorted, ISSUES, sizeof(sorted[0]), compare_models);
	for (unsigned i = 0; i < ISSUES; i++) {
		const struct model *m = &sorted[descending ? ISSUES - 1 - i : i];

		if (m->created != 0 && !m->gone && (classes & (1U << m->cls)) != 0)
			ret[n++] = m->number;
	}
	return n;
}

static void
check_list(struct snap_view *v, unsigned classes, bool descending)
{
	uint32_t want[ISSUES];
	size_t n = expected(classes, descending, want);
	struct snap_list_pos pos, resume;
	struct snap_list l;

	assert_int_equal(snap_list_begin(v, sort_order, descending, classes, NULL, &l), 0);
	for (size_t i = 0; i < n; i++) {
		struct snap_list again;

		assert_int_equal(snap_list_next(&l, &pos), 0);
		assert_int_equal(pos.number, want[i]);
		/* One view holds one list at a time: go on behind this place anew. */
		assert_int_equal(
		    snap_list_begin(v, sort_order, descending, classes, &pos, &again), 0);
		l = again;
	}
	assert_int_equal(snap_list_next(&l, &resume), ERR_NOENT);
}

/* The same in one go, with rows. */
static void
check_rows(struct snap_view *v, unsigned classes, bool descending)
{
	uint32_t want[ISSUES];
	size_t n = expected(classes, descending, want);
	struct snap_list_pos pos;
	struct snap_issue issue;
	struct snap_list l;

	assert_int_equal(snap_list_begin(v, sort_order, descending, classes, NULL, &l), 0);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(snap_list_next_issue(&l, &pos, &issue), 0);
		assert_int_equal(pos.number, want[i]);
		assert_int_equal(issue.number, want[i]);
		assert_int_equal(
		    (issue.flags & SNAP_ISSUE_PULL) != 0, (models[want[i] - 1].cls & 1) != 0);
	}
	for (int again = 0; again < 2; again++)
		assert_int_equal(snap_list_next_issue(&l, &pos, &issue), ERR_NOENT);
}

/* A scan gives the same, from every place on. */
static void
check_scan(struct snap_view *v, unsigned classes, bool descending)
{
	uint32_t want[ISSUES];
	size_t n = expected(classes, descending, want);
	struct snap_list_pos pos = { 0 }, resumed;
	struct snap_issue issue;
	struct snap_scan s, again;

	assert_int_equal(snap_scan_begin(v, sort_order, descending, classes, NULL, &s), 0);
	for (size_t i = 0; i < n; i++) {
		if (i > 0) {
			assert_int_equal(
			    snap_scan_begin(v, sort_order, descending, classes, &pos, &again),
			    0);
			assert_int_equal(snap_scan_next(&again, &resumed, &issue), 0);
			assert_int_equal(resumed.number, want[i]);
			s = again;
			pos = resumed;
		} else {
			assert_int_equal(snap_scan_next(&s, &pos, &issue), 0);
			assert_int_equal(pos.number, want[i]);
		}
		assert_int_equal(issue.number, want[i]);
		assert_int_equal(snap_issue_check(&issue), 0);
	}
	assert_int_equal(snap_scan_begin(v, sort_order, descending, classes, NULL, &s), 0);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(snap_scan_next(&s, &pos, &issue), 0);
		assert_int_equal(pos.number, want[i]);
	}
	for (int more = 0; more < 2; more++)
		assert_int_equal(snap_scan_next(&s, &pos, &issue), ERR_NOENT);
}

static void
lists_agree_with_a_model_through_random_changes(void **state)
{
	struct snap_fixture *fx = *state;
	unsigned seed = 20261124, rounds = getenv("MAINTNER_FULL") != NULL ? 200 : 10;

	memset(models, 0, sizeof(models));
	for (uint32_t i = 0; i < ISSUES; i++)
		models[i].number = i + 1;
	for (unsigned round = 0; round < rounds; round++) {
		struct snap_txn *t = fx_begin(fx);
		struct snap_view *v;

		for (int i = 0; i < 40; i++)
			change_one(fx, t, &seed);
		assert_int_equal(snap_txn_commit(t), 0);
		v = fx_view(fx);
		for (unsigned o = 0; o < SNAP_ORDERS; o++) {
			sort_order = (enum snap_order)o;
			for (unsigned classes = 0; classes <= SNAP_CLASS_ALL; classes++) {
				check_list(v, classes, false);
				check_list(v, classes, true);
				check_rows(v, classes, false);
				check_rows(v, classes, true);
				check_scan(v, classes, false);
				check_scan(v, classes, true);
			}
		}
		snap_writer_view_end(v);
	}
	print_message("%u rounds of changes\n", rounds);
}

static void
an_index_built_at_once_equals_one_kept_in_step(void **state)
{
	struct snap_fixture *fx = *state;
	struct snap_writer *filled;
	struct snap_view *a, *b;
	struct snap_compare_opts o = { 0 };
	uint64_t differences = 1;
	unsigned seed = 7;
	bool unclean;
	char dir[80];

	memset(models, 0, sizeof(models));
	for (uint32_t i = 0; i < ISSUES; i++)
		models[i].number = i + 1;
	struct snap_txn *t = fx_begin(fx);

	for (int i = 0; i < 200; i++)
		change_one(fx, t, &seed);
	assert_int_equal(snap_txn_commit(t), 0);
	snprintf(dir, sizeof(dir), "%s/filled", fx->dir);
	assert_int_equal(snap_writer_open(dir, FX_REPO, SNAP_FILL, &filled, &unclean, NULL), 0);
	assert_int_equal(snap_txn_begin(filled, &t), 0);
	for (uint32_t i = 0; i < ISSUES; i++)
		models[i].created = 0;
	seed = 7;
	for (int i = 0; i < 200; i++)
		change_one(fx, t, &seed);
	assert_int_equal(snap_txn_commit(t), 0);
	assert_int_equal(snap_writer_promote(filled, false, NULL), 0);
	a = fx_view(fx);
	assert_int_equal(snap_writer_view(filled, &b), 0);
	assert_int_equal(snap_compare(a, b, &o, &differences), 0);
	assert_int_equal(differences, 0);
	snap_writer_view_end(a);
	snap_writer_view_end(b);
	snap_writer_close(filled);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    lists_agree_with_a_model_through_random_changes, fx_setup, fx_teardown),
		cmocka_unit_test_setup_teardown(
		    an_index_built_at_once_equals_one_kept_in_step, fx_setup, fx_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
