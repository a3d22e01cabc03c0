/* filter.c - what an expression over repositories may name; base/cel does the rest. */
#include "router/filter.h"

#include "base/cel/cel.h"
#include "base/clock.h"
#include "base/mem.h"

/* All clients wait meanwhile: some 10 ms. */
#define STEPS_MAX UINT64_C(2000000)
#define ROW_STEPS 20 /* for each row, beside the expression's own */

enum field {
	FIELD_NAME = 1,
	FIELD_ISSUES,
	FIELD_PULLS,
	FIELD_OPEN_ISSUES,
	FIELD_OPEN_PULLS,
	FIELD_COMMENTS,
	FIELD_REVIEWS,
	FIELD_REVIEW_COMMENTS,
	FIELD_EVENTS,
	FIELD_REPOSITORY,
	FIELD_NOW,
};

#define COUNT(name, alias, id)                                                                 \
	{                                                                                      \
		name, alias, &cel_type_int, id, CEL_COST_HEAD                                  \
	}
#define OBJECT(name, fields)                                                                   \
	{                                                                                      \
		name, fields, sizeof(fields) / sizeof((fields)[0])                             \
	}

static const struct cel_field repository_fields[] = {
	{ "name", NULL, &cel_type_string, FIELD_NAME, CEL_COST_HEAD },
	COUNT("issue_count", "issueCount", FIELD_ISSUES),
	COUNT("pull_request_count", "pullRequestCount", FIELD_PULLS),
	COUNT("open_issue_count", "openIssueCount", FIELD_OPEN_ISSUES),
	COUNT("open_pull_request_count", "openPullRequestCount", FIELD_OPEN_PULLS),
	COUNT("comment_count", "commentCount", FIELD_COMMENTS),
	COUNT("review_count", "reviewCount", FIELD_REVIEWS),
	COUNT("review_comment_count", "reviewCommentCount", FIELD_REVIEW_COMMENTS),
	COUNT("event_count", "eventCount", FIELD_EVENTS),
};
static const struct cel_object repository = OBJECT("repository", repository_fields);
static const struct cel_type repository_type = { .kind = CEL_OBJECT, .object = &repository };
static const struct cel_field fields[] = {
	{ "repository", NULL, &repository_type, FIELD_REPOSITORY, CEL_COST_HEAD },
	{ "now", NULL, &cel_type_timestamp, FIELD_NOW, CEL_COST_HEAD },
};
static const struct cel_object vars = OBJECT("repositories", fields);
static const struct cel_env env = { .vars = &vars };

struct filter {
	struct cel_program *program;
	int64_t now_ms;
	const struct filter_row *row;
};

static int
check_program(const struct cel_program *p, struct err_info *ei)
{
	char name[64];

	if (cel_result_type(p)->kind != CEL_BOOL)
		return err_set(ei, ERR_INVAL,
		    "line 1, column 1: expected a bool, but the expression is %s",
		    cel_type_name(cel_result_type(p), name, sizeof(name)));
	return cel_constant_error(p, ei);
}

int
filter_new(struct slice text, struct filter **ret, struct err_info *ei)
{
	struct filter *f = mem_zalloc(sizeof(*f));
	int rc;

	if (f == NULL)
		return ERR_NOMEM;
	f->now_ms = clock_real_ms();
	rc = cel_compile(text, &env, &f->program, ei);
	if (rc == 0)
		rc = check_program(f->program, ei);
	if (rc != 0) {
		filter_free(f);
		return rc == ERR_NOMEM ? rc : err_wrap(ei, rc, "filter");
	}
	cel_set_budget(f->program, STEPS_MAX);
	*ret = f;
	return 0;
}

void
filter_free(struct filter *f)
{
	if (f == NULL)
		return;
	cel_free(f->program);
	mem_free(f);
}

static int
resolve(void *ctx, const struct cel_value *object, uint32_t field, struct arena *scratch,
    struct cel_value *ret)
{
	const struct filter *f = ctx;

	(void)object;
	(void)scratch;
	if (field == FIELD_NOW) {
		*ret = (struct cel_value){ .kind = CEL_TIMESTAMP,
			.as.i = f->now_ms / 1000,
			.aux = (uint32_t)(f->now_ms % 1000) * 1000000 };
		return 0;
	}
	if (field == FIELD_REPOSITORY) {
		*ret = (struct cel_value){ .kind = CEL_OBJECT, .as.object = f->row };
		return 0;
	}
	if (field == FIELD_NAME)
		*ret = cel_string(slice_str(f->row->name));
	else
		*ret = cel_int(f->row->counts[field - FIELD_ISSUES]);
	return 0;
}

const char *
filter_count_name(unsigned i)
{
	return repository_fields[i + 1].alias;
}

int
filter_match(struct filter *f, const struct filter_row *row, bool *ret, struct err_info *ei)
{
	struct cel_value v;
	int rc;

	f->row = row;
	cel_charge(f->program, ROW_STEPS);
	rc = cel_eval(f->program, resolve, f, &v, ei);
	if (rc == ERR_LIMIT && cel_budget_left(f->program) == 0)
		return err_set(ei, ERR_TIMEOUT, "filter: too much work for one request");
	if (rc != 0)
		return err_wrap(ei, rc, "filter");
	*ret = cel_is_true(&v);
	return 0;
}
