/* filter.c - compiling the parameter, and asking it about a row. */
#include "fcgi/filter/filter_internal.h"

#include "base/clock.h"
#include "base/mem.h"

struct filter {
	struct cel_env env;
	struct cel_program *program;
	struct filter_reader reader;
};

static int
check_type(const struct filter *f, struct err_info *ei)
{
	const struct cel_type *t = cel_result_type(f->program);
	char name[80];

	if (t->kind == CEL_BOOL || t->kind == CEL_DYN)
		return cel_constant_error(f->program, ei);
	return err_set(ei, ERR_INVAL,
	    "line 1, column 1: expected a bool, but the expression is %s",
	    cel_type_name(t, name, sizeof(name)));
}

int
filter_new(struct slice text, enum filter_rows rows, uint64_t steps, struct filter **ret,
    struct err_info *ei)
{
	struct filter *f = mem_zalloc(sizeof(*f));
	int rc;

	if (f == NULL)
		return ERR_NOMEM;
	f->env.vars = filter_vars(rows);
	f->reader.now_ms = clock_real_ms();
	rc = cel_compile(text, &f->env, &f->program, ei);
	if (rc == 0)
		rc = check_type(f, ei);
	if (rc == 0) {
		cel_set_budget(f->program, steps);
		*ret = f;
		return 0;
	}
	filter_free(f);
	return rc == ERR_NOMEM ? rc : err_wrap(ei, rc, "filter");
}

void
filter_free(struct filter *f)
{
	if (f == NULL)
		return;
	cel_free(f->program);
	mem_free(f);
}

bool
filter_uses_now(const struct filter *f)
{
	return cel_uses(f->program, FIELD_NOW);
}

unsigned
filter_classes(const struct filter *f, unsigned classes, bool *ret_decided)
{
	unsigned left = 0;

	*ret_decided = true;
	for (unsigned c = 0; c < SNAP_CLASS_COUNT; c++) {
		const struct cel_known known[] = {
			{ FIELD_ID(FROM_FLAG, SNAP_ISSUE_CLOSED),
			    c == SNAP_CLASS_CLOSED_ISSUE || c == SNAP_CLASS_CLOSED_PULL },
			{ FIELD_ID(FROM_FLAG, SNAP_ISSUE_PULL),
			    c == SNAP_CLASS_OPEN_PULL || c == SNAP_CLASS_CLOSED_PULL },
		};
		enum cel_truth t;

		if ((classes & (1U << c)) == 0)
			continue;
		t = cel_given(f->program, known, 2);
		if (t != CEL_FALSE)
			left |= 1U << c;
		if (t == CEL_UNKNOWN)
			*ret_decided = false;
	}
	return left;
}

int
filter_matches(struct filter *f, const struct filter_row *row, bool *ret, struct err_info *ei)
{
	struct cel_value v;
	int rc;

	f->reader.row = row;
	f->reader.unchecked = row->unchecked;
	cel_charge(f->program, FILTER_ROW_STEPS);
	rc = cel_eval(f->program, filter_read, &f->reader, &v, ei);
	if (rc == ERR_LIMIT && cel_budget_left(f->program) == 0)
		return err_set(ei, ERR_TIMEOUT,
		    "filter: it takes more work than one request may; ask for fewer rows with "
		    "closed or pullRequest, or look at fewer texts");
	if (rc != 0)
		return err_wrap(ei, rc, "filter");
	*ret = cel_is_true(&v);
	return 0;
}
