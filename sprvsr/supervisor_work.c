/* supervisor_work.c - plans become jobs, and their results counts, logs and Events. */
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "sprvsr/supervisor_impl.h"

#define IN_FLIGHT_MAX 64
#define PLAN_ALL ((size_t)1 << 20)
#define ALLOWED_FOR_MS 600000 /* a confirmation waits so long for a list and the lead */

static const char *
version_of(struct supervisor *s, const struct action *a)
{
	const struct obs *b = names_get(&s->seen.objects[a->kind], a->name);

	return b != NULL ? b->version : "";
}

/* Under observed's lock, so that the trail names the version that was planned upon. */
static int
give_out(struct supervisor *s, const struct action *a)
{
	struct trail *t = trail_make(&s->trails, a->kind, a->name);
	struct job *j = mem_zalloc(sizeof(*j));
	char hash[SHA224_HEX_LEN + 1];
	struct buf body;
	int rc = t != NULL && j != NULL ? 0 : ERR_NOMEM;

	buf_init(&body, OBJECT_BYTES_MAX);
	if (rc == 0 && a->entry != NULL) {
		rc = desired_render(s->o.desired, a->entry, a->kind, a->was_ready, &body, hash);
		j->body = rc == 0 ? buf_take(&body, NULL) : NULL;
		rc = j->body != NULL ? 0 : ERR_NOMEM;
	}
	buf_clear(&body);
	if (rc != 0) {
		job_free(j);
		return rc;
	}
	j->action = *a;
	j->action.entry = NULL;
	snprintf(j->repo, sizeof(j->repo), "%s", a->repo);
	j->action.repo = j->repo; /* what it points to may be gone before the job is done */
	trail_begin(t, a, version_of(s, a));
	s->in_flight++;
	actors_add(s->actors, j);
	return 0;
}

static void
send_event(struct supervisor *s, const struct event *e)
{
	struct job *j;
	char *body = NULL;
	int rc = event_make(&s->events, s->o.desired->namespace_name, s->o.desired->manager, e,
	    clock_mono_ms(), &body);

	pthread_mutex_lock(&s->status.lock);
	if (rc == 0)
		s->status.events++;
	else
		s->status.events_dropped++;
	pthread_mutex_unlock(&s->status.lock);
	j = rc == 0 ? mem_zalloc(sizeof(*j)) : NULL;
	if (j == NULL) {
		mem_free(body);
		return;
	}
	j->is_event = true;
	j->body = body;
	actors_add(s->actors, j);
}

/* For the next plan; false if the apply found everything as it wants it. */
static bool
note_end(struct supervisor *s, const struct job *j)
{
	const struct action *a = &j->action;
	struct trail *t = trail_get(&s->trails, a->kind, a->name);
	int64_t now_ms = clock_mono_ms(), asked_ms = j->ei.retry_after_ms;

	s->in_flight--;
	if (t == NULL)
		return true;
	trail_end(t, a, j->rc, j->version, now_ms, k8s_random());
	if (asked_ms > 0 && t->not_before_ms < now_ms + asked_ms)
		t->not_before_ms = now_ms + asked_ms;
	return j->rc != 0 || a->verb == ACT_DELETE || strcmp(t->version, j->version) != 0;
}

static void
finish(struct supervisor *s, struct job *j)
{
	static const char *const verbs[ACTS] = { "create", "update", "repair", "delete" };
	const struct action *a = &j->action;
	bool changed = note_end(s, j);
	char message[700];
	struct event e;

	if (j->rc == ERR_CANCELED)
		return;
	if (!changed) {
		log_debug("object is as wanted", LOG_S("object", a->name),
		    LOG_S("repository", j->repo), LOG_END);
		return;
	}
	pthread_mutex_lock(&s->status.lock);
	if (j->rc == 0)
		s->status.applied[a->verb]++;
	else
		s->status.failed++;
	pthread_mutex_unlock(&s->status.lock);
	if (j->rc == 0)
		log_info("object written", LOG_S("action", verbs[a->verb]),
		    LOG_S("object", a->name), LOG_S("repository", j->repo), LOG_END);
	else
		log_warning("object not written", LOG_S("action", verbs[a->verb]),
		    LOG_S("object", a->name), LOG_S("repository", j->repo),
		    LOG_S("error", j->ei.text), LOG_END);
	e = event_of_job(j, message, sizeof(message));
	send_event(s, &e);
}

void
supervisor_collect(struct supervisor *s)
{
	struct job *j = actors_done(s->actors), *next;

	for (; j != NULL; j = next) {
		next = j->next;
		if (!j->is_event)
			finish(s, j);
		else if (j->rc != 0 && j->rc != ERR_CANCELED)
			log_debug("event not written", LOG_S("error", j->ei.text), LOG_END);
		job_free(j);
		atomic_store(&s->dirty, true);
	}
}

static void
tell_refused(struct supervisor *s, const struct plan *p)
{
	char message[200];
	const struct event e = { .api_version = "coordination.k8s.io/v1",
		.kind = "Lease",
		.name = s->o.lease_name,
		.uid = "",
		.warning = true,
		.reason = "RemovalRefused",
		.message = message };

	snprintf(message, sizeof(message),
	    "%zu repositories left the list, more than %zu: none is removed without a "
	    "confirmation",
	    p->undecided, p->prune_limit);
	log_error("too many repositories left the list: none is removed without a "
		  "confirmation",
	    LOG_I("left", p->undecided), LOG_I("limit", p->prune_limit), LOG_END);
	if (s->was_acting && s->o.lease_name != NULL)
		send_event(s, &e);
}

static void
tell_conflicts(struct supervisor *s, const struct plan *p)
{
	bool deployment =
	    names_get(&s->seen.objects[KIND_DEPLOYMENT], p->conflict_name) != NULL;
	const struct event e = { .api_version = deployment ? "apps/v1" : "v1",
		.kind = deployment ? "Deployment" : "Service",
		.name = p->conflict_name,
		.uid = "",
		.warning = true,
		.reason = "Conflict",
		.message = "it has a name of the supervisor's and is left alone" };

	log_error("objects of others have names of ours and are left alone",
	    LOG_I("conflicts", p->conflicts), LOG_S("first", p->conflict_name), LOG_END);
	if (s->was_acting)
		send_event(s, &e);
}

/* Under observed's lock. */
static void
tell(struct supervisor *s, const struct plan *p, bool leader)
{
	if (p->prune_refused && !s->told_refused)
		tell_refused(s, p);
	s->told_refused = p->prune_refused;
	if (p->conflicts > s->told_conflicts)
		tell_conflicts(s, p);
	s->told_conflicts = p->conflicts;
	if (leader != s->was_leader)
		log_info(leader ? "this replica leads" : "this replica does not lead", LOG_END);
	pthread_mutex_lock(&s->status.lock);
	s->status.leader_changes += leader != s->was_leader;
	s->status.leader = leader;
	s->status.ready = true;
	s->status.prune_refused = p->prune_refused;
	s->status.left = p->left;
	s->status.conflicts = p->conflicts;
	s->status.scaled_to_zero = p->scaled_to_zero;
	s->status.waiting_for_ready = p->waiting_for_ready;
	s->status.held_back = p->held_back;
	s->status.passes++;
	pthread_mutex_unlock(&s->status.lock);
	s->was_leader = leader;
}

static int64_t
us_of(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/*
 * How many removals are confirmed for what was read last: a confirmation is about the list
 * that its author saw, so it needs one that was read afterwards, and serves once.
 */
static size_t
allowance(struct supervisor *s)
{
	size_t n = 0;

	pthread_mutex_lock(&s->lock);
	if (s->prune_allowed > 0 && clock_mono_ms() - s->allowed_ms > ALLOWED_FOR_MS) {
		log_warning("a confirmation was not used in time",
		    LOG_I("allow", s->prune_allowed), LOG_END);
		s->prune_allowed = 0;
	}
	if (s->list_begun_ms >= s->allowed_ms)
		n = s->prune_allowed;
	pthread_mutex_unlock(&s->lock);
	return n;
}

static void
use_allowance(struct supervisor *s, const struct reconcile_opts *o, const struct plan *p)
{
	if (p->prune_refused)
		log_warning("too few removals were confirmed", LOG_I("allow", o->prune_allowed),
		    LOG_I("left", p->undecided), LOG_END);
	pthread_mutex_lock(&s->lock);
	if (s->prune_allowed == o->prune_allowed && s->list_begun_ms >= s->allowed_ms)
		s->prune_allowed = 0;
	pthread_mutex_unlock(&s->lock);
}

/* A leader acts on a list that was read since it leads: see leading in supervisor.c. */
static bool
may_act(struct supervisor *s)
{
	bool acting = supervisor_leads(s) && s->list_begun_ms >= atomic_load(&s->led_since_ms);

	if (acting && !s->was_acting) {
		trails_forget_decisions(&s->trails);
		s->told_refused = false; /* as Events, too */
		s->told_conflicts = 0;
	}
	s->was_acting = acting;
	return acting;
}

void
supervisor_pass(struct supervisor *s)
{
	bool leader = supervisor_leads(s), acting = may_act(s);
	struct reconcile_opts o = { .batch = s->o.batch,
		.actions_max = acting ? IN_FLIGHT_MAX - s->in_flight : PLAN_ALL,
		.prune_percent = s->o.prune_percent,
		.prune_allowed = acting ? allowance(s) : 0,
		.decide = acting,
		.now_ms = clock_mono_ms() };
	int64_t wall = us_of(CLOCK_MONOTONIC), cpu = us_of(CLOCK_THREAD_CPUTIME_ID);
	struct plan plan = { .actions = NULL };
	int rc;

	pthread_mutex_lock(&s->seen.lock);
	rc = s->has_list && s->seen.synced[KIND_DEPLOYMENT] && s->seen.synced[KIND_SERVICE]
		 ? reconcile(&s->want, &s->seen, &s->trails, &o, &plan)
		 : ERR_BUSY;
	for (size_t i = 0; rc == 0 && acting && i < plan.count; i++)
		rc = give_out(s, &plan.actions[i]);
	if (rc == 0)
		tell(s, &plan, leader);
	pthread_mutex_unlock(&s->seen.lock);
	s->pass_at_ms = clock_mono_ms();
	s->full_at_ms = s->pass_at_ms + s->o.resync_ms;
	s->wake_at_ms = plan.wake_ms;
	if (rc == 0 && o.prune_allowed > 0)
		use_allowance(s, &o, &plan);
	if (rc == 0) {
		pthread_mutex_lock(&s->status.lock);
		s->status.pass_us = us_of(CLOCK_MONOTONIC) - wall;
		s->status.pass_cpu_us = us_of(CLOCK_THREAD_CPUTIME_ID) - cpu;
		pthread_mutex_unlock(&s->status.lock);
	} else if (rc != ERR_BUSY) {
		log_error("pass failed", LOG_S("error", err_name(rc)), LOG_END);
	}
	plan_clear(&plan);
}
