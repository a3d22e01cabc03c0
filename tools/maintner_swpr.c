/*
 * maintner-swpr - finds issues that GitHub no longer has and has them tombstoned.
 * Here: signals, and one repository after another.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "tools/repo_pick.h"
#include "tools/stop.h"
#include "tools/swpr_memory.h"
#include "tools/swpr_settings.h"
#include "tools/swpr_sweep.h"

/* A run that was interrupted longer ago is not gone on with: begin a new one. */
#define RUN_MS INT64_C(86400000)
/* Each of them was tried for half a minute: with thousands of them it would take days. */
#define AWAY_MAX 3
#define TELL_MS 30000

enum {
	EXIT_SWEPT = 0,
	EXIT_UNDONE = 1,
	EXIT_USAGE = 2,
};

struct program {
	struct swpr_settings set;
	struct stop stop;
	struct http *http;
	struct gh *gh; /* of all repositories, or of one when the App's installation differs */
	struct repo_list list;
	struct swpr_cluster cluster;
	char *secret;
	struct swpr_memory memory;
	struct swpr_tally *rows;
	size_t row_count;
	uint64_t requests; /* by clients that are freed */
	int64_t told_ms;   /* when progress was; in the monotonic clock */
};

/* --- GitHub --- */

static void
on_wait(void *ctx, int64_t ms, const char *why)
{
	(void)ctx;
	if (strcmp(why, "rate limit") == 0)
		log_info(
		    "waiting for GitHub's rate limit", LOG_I("seconds", ms / 1000), LOG_END);
}

static void
on_retry(void *ctx, unsigned nth, const char *error)
{
	(void)ctx;
	log_warning(
	    "request failed, trying again", LOG_S("error", error), LOG_I("try", nth), LOG_END);
}

static void
on_credentials(void *ctx, bool trouble, const char *what)
{
	(void)ctx;
	if (trouble)
		log_warning(what, LOG_END);
	else
		log_info(what, LOG_END);
}

/* An App without a fixed installation has one for each owner, so a client of its own. */
static int
open_github(struct program *p, const struct repo_entry *e, struct err_info *ei)
{
	const struct gh_settings *s = &p->set.github;
	bool each = s->app_id != NULL && s->installation_id == 0;
	struct gh_opts o = gh_settings_opts(s);
	int rc;

	if (p->gh != NULL && !each)
		return 0;
	if (p->gh != NULL)
		p->requests += gh_stats(p->gh)->requests;
	gh_free(p->gh);
	p->gh = NULL;
	o.repository = each ? e->name : NULL;
	o.http = p->http;
	o.cancel = p->stop.cancel;
	o.on_wait = on_wait;
	o.on_retry = on_retry;
	o.on_credentials = on_credentials;
	o.ctx = p;
	rc = gh_new(&o, &p->gh, ei);
	if (rc == 0)
		gh_set_background(p->gh, true); /* the sync daemons go first */
	return rc;
}

/* --- repositories --- */

struct turn {
	const struct repo_entry *entry;
	struct swpr_repo_state *state;
};

/* Who waited longest comes first, so that a small budget reaches everybody in time. */
static int
by_age(const void *a, const void *b)
{
	const struct turn *x = a, *y = b;

	if (x->state->swept_ms != y->state->swept_ms)
		return x->state->swept_ms < y->state->swept_ms ? -1 : 1;
	return strcmp(x->entry->name, y->entry->name);
}

/* What was named, or is only looked at, is wanted now; it is no part of a run of all. */
static bool
is_run_of_all(const struct program *p)
{
	return p->set.only.count == 0 && !p->set.dry_run;
}

/* An interrupted run is gone on with. */
static void
begin_run(struct program *p, int64_t now)
{
	struct swpr_state *s = &p->memory.state;

	if (is_run_of_all(p) && (s->run_started_ms == 0 || s->run_started_ms > now ||
				    now - s->run_started_ms > RUN_MS))
		s->run_started_ms = now;
}

/* A time to come is of a clock that was set back since, and says nothing. */
static bool
was_swept(const struct program *p, const struct swpr_repo_state *r, int64_t now)
{
	return is_run_of_all(p) && r->swept_ms >= p->memory.state.run_started_ms &&
	       r->swept_ms <= now;
}

/* Those that this run has not swept yet. */
static int
make_turns(struct program *p, struct turn **ret, size_t *ret_count)
{
	int64_t now = clock_real_ms();
	struct turn *turns = mem_calloc(p->list.count + 1, sizeof(*turns));
	size_t count = 0;

	if (turns == NULL)
		return ERR_NOMEM;
	begin_run(p, now);
	for (size_t i = 0; i < p->list.count; i++) {
		struct turn t = { &p->list.items[i], NULL };

		t.state = swpr_state_repo(&p->memory.state, t.entry->name);
		if (t.state == NULL) {
			mem_free(turns);
			return ERR_NOMEM;
		}
		if (!was_swept(p, t.state, now))
			turns[count++] = t;
	}
	if (count < p->list.count)
		log_info("going on with a run that was interrupted",
		    LOG_I("swept_before", p->list.count - count), LOG_END);
	qsort(turns, count, sizeof(*turns), by_age);
	*ret = turns;
	*ret_count = count;
	return 0;
}

static uint64_t
requests_spent(const struct program *p)
{
	return p->requests + gh_stats(p->gh)->requests;
}

static void
tell(const struct swpr_tally *t, size_t nth, size_t of)
{
	LOG_AT(t->undone ? LOG_SEV_WARNING : LOG_SEV_INFO,
	    t->undone ? "repository not swept to the end" : "repository swept",
	    LOG_S("repository", t->repo), LOG_I("nth", nth), LOG_I("of", of),
	    LOG_I("mirrored", t->mirrored), LOG_I("listed", t->listed),
	    LOG_I("deleted", t->deleted), LOG_I("transferred", t->transferred),
	    LOG_I("vanished", t->vanished), LOG_I("waiting", t->waiting),
	    LOG_I("lacking", t->lacking), LOG_I("buried", t->buried),
	    LOG_I("requests", t->requests), LOG_S("error", t->note), LOG_END);
}

/* Of one that has many pages, or waits for a limit at each. */
static void
on_step(void *ctx, const char *doing, size_t count)
{
	struct program *p = ctx;
	int64_t now = clock_mono_ms();

	if (now - p->told_ms < TELL_MS)
		return;
	p->told_ms = now;
	log_info(doing, LOG_S("repository", p->rows[p->row_count - 1].repo),
	    LOG_I("numbers", count), LOG_I("requests", requests_spent(p)), LOG_END);
}

/* `left` repositories share what is left of the budget evenly; 0: it is used up. */
static uint64_t
share_of(const struct program *p, size_t left)
{
	uint64_t budget = (uint64_t)p->set.budget, spent = requests_spent(p);
	uint64_t rest = budget > spent ? budget - spent : 0;

	if (rest < SWPR_REQUESTS_MIN)
		return 0;
	return rest / left > SWPR_REQUESTS_MIN ? rest / left : SWPR_REQUESTS_MIN;
}

static int
sweep_one(struct program *p, const struct turn *t, size_t left, struct err_info *ei)
{
	const struct swpr_rules rules = { p->set.confirm_s * 1000, p->set.dry_run };
	struct swpr_tally *row = &p->rows[p->row_count++];
	uint64_t share;
	struct swpr_hub hub;
	int rc;

	*row = (struct swpr_tally){ .repo = t->entry->name };
	rc = open_github(p, t->entry, ei);
	if (rc != 0) {
		row->undone = true;
		snprintf(row->note, sizeof(row->note), "%s", ei->text);
		return rc == ERR_CANCELED || rc == ERR_NOMEM ? rc : 0;
	}
	share = share_of(p, left);
	if (share == 0) {
		row->undone = true;
		snprintf(row->note, sizeof(row->note),
		    "not begun: the budget of requests is used up");
		return 0;
	}
	swpr_hub_init(&hub, p->gh, t->entry);
	hub.requests_max = gh_stats(p->gh)->requests + share;
	hub.on_step = on_step;
	hub.ctx = p;
	p->told_ms = clock_mono_ms();
	rc = swpr_sweep(&p->cluster, &hub, t->entry, &rules, t->state, row);
	if (rc == 0 && !row->undone)
		t->state->swept_ms = clock_real_ms();
	return rc;
}

static int
sweep_all(struct program *p, const struct turn *turns, size_t count, struct err_info *ei)
{
	int rc = swpr_memory_save(&p->memory, ei), saved;
	unsigned away = 0; /* one after the other */

	for (size_t i = 0; i < count && rc == 0 && !stop_asked(&p->stop); i++) {
		const struct swpr_tally *row = &p->rows[p->row_count];

		rc = sweep_one(p, &turns[i], count - i, ei);
		tell(row, i + 1, count);
		if (row->away)
			away++;
		else if (row->requests > 0) /* else it was a mirror that did not answer */
			away = 0;
		if (rc == 0 && away == AWAY_MAX)
			rc = err_set(ei, ERR_UNAVAILABLE,
			    "GitHub does not answer; the next run goes on");
		/* Also what was seen before a stop. */
		saved = swpr_memory_save(&p->memory, rc == 0 ? ei : NULL);
		rc = rc == 0 ? saved : rc;
	}
	if (rc == 0 && p->stop.stopping)
		rc = ERR_CANCELED;
	if (rc != 0)
		return rc;
	if (is_run_of_all(p))
		p->memory.state.run_started_ms = 0; /* it came to its end */
	return swpr_memory_save(&p->memory, ei);
}

static int
run(struct program *p, struct err_info *ei)
{
	struct turn *turns = NULL;
	size_t count = 0;
	int rc = make_turns(p, &turns, &count);

	if (rc != 0)
		return rc;
	p->rows = mem_calloc(count + 1, sizeof(*p->rows));
	rc = p->rows == NULL ? ERR_NOMEM : sweep_all(p, turns, count, ei);
	mem_free(turns);
	return rc;
}

/* --- start and end --- */

static int
start(struct program *p, struct err_info *ei)
{
	const struct store_open_opts store = { .cancel = &p->stop.cancel,
		.ca_file = p->set.ca_file };
	const struct repo_pick pick = { .url = p->set.repos,
		.only = p->set.only.items,
		.only_count = p->set.only.count,
		.store_opts = &store };
	int rc = stop_init(&p->stop, ei);

	if (rc == 0 && p->set.secret_file != NULL)
		rc = conf_read_secret(p->set.secret_file, &p->secret, ei);
	p->cluster.router = p->set.router;
	p->cluster.internal = p->set.internal;
	p->cluster.secret = p->secret;
	if (rc == 0)
		rc = http_curl_new("drghs-worker/" MAINTNER_VERSION, p->set.ca_file,
		    &p->stop.cancel, &p->http, ei);
	if (rc == 0)
		rc = repo_pick(&pick, &p->list, ei);
	if (rc == 0) /* bad credentials are no repository's fault */
		rc = open_github(p, &p->list.items[0], ei);
	if (rc == 0)
		rc = swpr_memory_open(&p->memory, p->set.state, &store, ei);
	if (rc == 0 && p->set.dry_run) { /* read, but never written */
		store_close(p->memory.store);
		p->memory.store = NULL;
	}
	return rc;
}

static void
stop(struct program *p)
{
	swpr_memory_close(&p->memory);
	repo_list_clear(&p->list);
	gh_free(p->gh);
	http_free(p->http);
	mem_free(p->secret);
	mem_free(p->rows);
}

static void
print_rows(const struct program *p)
{
	struct buf out;

	buf_init(&out, (size_t)64 << 20);
	if (p->set.report)
		swpr_table(p->rows, p->row_count, &out);
	swpr_summary(p->rows, p->row_count, p->set.dry_run, &out);
	if (buf_cstr(&out) != NULL)
		fputs(buf_cstr(&out), stdout);
	buf_clear(&out);
}

static int
sweep_and_tell(struct program *p)
{
	struct err_info ei = { .text = "" };
	int rc = start(p, &ei);
	bool undone = false;

	if (rc == 0) {
		rc = run(p, &ei);
		print_rows(p);
	}
	if (rc == ERR_CANCELED)
		log_warning("stopped; the next run goes on", LOG_END);
	else if (rc != 0)
		log_error("cannot go on",
		    LOG_S("error", ei.text[0] != '\0' ? ei.text : err_name(rc)), LOG_END);
	for (size_t i = 0; i < p->row_count; i++)
		undone = undone || p->rows[i].undone;
	return rc != 0 || undone ? EXIT_UNDONE : EXIT_SWEPT;
}

int
main(int argc, char **argv)
{
	static struct program p;
	enum conf_next next = CONF_RUN;
	struct err_info ei = { .text = "" };
	int status, rc = swpr_settings_read(&p.set, argc, argv, &next, &ei);

	if (rc == 0 && next == CONF_EXIT)
		return EXIT_SWEPT;
	if (rc != 0) {
		fprintf(stderr, "maintner-swpr: %s\n", ei.text);
		return EXIT_USAGE;
	}
	prctl(PR_SET_DUMPABLE, 0); /* the token must not end in a core file */
	log_setup("maintner-swpr", NULL, p.set.level);
	status = sweep_and_tell(&p);
	stop(&p);
	return status;
}
