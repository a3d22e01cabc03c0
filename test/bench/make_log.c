/*
 * make_log - writes a made log of the reference load's shape, for the other programs
 * here to rebuild from.  Prints its numbers as a JSON object.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/conf.h"
#include "test/bench/made_log.h"
#include "test/bench/made_record.h"

struct settings {
	const char *log;
	int64_t issues, seed;
	bool lean;
};

static int
read_settings(
    struct settings *s, int argc, char **argv, enum conf_next *next, struct err_info *ei)
{
	const struct conf_option options[] = {
		{ .name = "log",
		    .target = &s->log,
		    .required = true,
		    .value = "URL",
		    .help = "root of the log; " MADE_OWNER "/" MADE_REPO "/ is added" },
		{ .name = "issues",
		    .type = CONF_NUMBER,
		    .target = &s->issues,
		    .low = 1,
		    .high = 10000000,
		    .value = "N",
		    .help = "size [100000]" },
		{ .name = "seed",
		    .type = CONF_NUMBER,
		    .target = &s->seed,
		    .low = 0,
		    .high = INT64_MAX,
		    .value = "N",
		    .help = "other numbers give other logs [1]" },
		{ .name = "lean",
		    .type = CONF_SWITCH,
		    .target = &s->lean,
		    .help = "issues only: no comments, events, reviews" },
		{ .name = NULL },
	};
	const struct conf_program program = { "make_log", "Writes a made mutation log.", NULL,
		options };
	int operand;

	return conf_read(&program, argc, argv, next, &operand, ei);
}

static int
add(struct made_log *l, struct buf *packed, const Maintpb__Mutation *m, struct err_info *ei)
{
	int rc;

	buf_reset(packed);
	rc = mlog_mutation_pack(m, packed);
	return rc == 0 ? made_log_add(l, buf_view(packed), ei) : rc;
}

static int
write_records(struct made_log *l, struct made_records *m, const struct made_plan *plan,
    struct err_info *ei)
{
	struct buf packed;
	int rc;

	buf_init(&packed, MLOG_RECORD_MAX);
	rc = add(l, &packed, made_repository(m), ei);
	for (size_t i = 0; i < plan->count && rc == 0; i++)
		rc = add(l, &packed, made_record(m, &plan->steps[i]), ei);
	buf_clear(&packed);
	return rc == 0 ? made_log_finish(l, ei) : rc;
}

static int
make(
    const struct settings *set, struct made_records *m, struct made_log *l, struct err_info *ei)
{
	struct made_plan plan = { 0 };
	int rc = store_open(set->log, &l->store, ei);

	if (rc == 0)
		rc = made_plan_fill(&plan, &m->shape);
	if (rc == 0)
		rc = write_records(l, m, &plan, ei);
	made_plan_clear(&plan);
	store_close(l->store);
	return rc;
}

int
main(int argc, char **argv)
{
	struct settings set = { .issues = 100000, .seed = 1 };
	enum conf_next next = CONF_RUN;
	struct err_info ei = { 0 };
	struct made_records m = { 0 };
	struct made_log l;
	int rc = read_settings(&set, argc, argv, &next, &ei);

	if (rc == 0 && next == CONF_EXIT)
		return 0;
	made_log_init(&l, NULL, MADE_OWNER "/" MADE_REPO "/");
	if (rc == 0)
		rc = made_records_init(&m,
		    &(struct made_shape){ (uint64_t)set.seed, (uint32_t)set.issues, set.lean });
	if (rc == 0)
		rc = make(&set, &m, &l, &ei);
	if (rc == 0)
		printf("{\"records\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"issues\":%" PRIu64
		       ",\"comments\":%" PRIu64 ",\"events\":%" PRIu64 ",\"reviews\":%" PRIu64
		       "}\n",
		    l.records, l.bytes, m.counts.issues, m.counts.comments, m.counts.events,
		    m.counts.reviews);
	else
		fprintf(stderr, "make_log: %s\n", ei.text[0] != '\0' ? ei.text : err_name(rc));
	made_log_clear(&l);
	made_records_clear(&m);
	return rc == 0 ? 0 : 1;
}
