/* supervisor.c - see supervisor.h; what is done is decided in reconcile.c. */
#include "sprvsr/supervisor.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "sprvsr/event.h"
#include "sprvsr/k8s_watch.h"
#include "sprvsr/lease.h"

#define IN_FLIGHT_MAX 64
#define PASS_EVERY_MS 100 /* news that come together are one pass */
#define LIST_RETRY_MS 10000
#define DRAIN_MS 2000 /* for requests that run when the program stops */
#define PLAN_ALL ((size_t)1 << 20)

struct watching {
	struct supervisor *s;
	enum kind kind;
	struct k8s_client *client;
	char path[256];
	pthread_t thread;
	bool started;
};

struct supervisor {
	struct supervisor_opts o;
	struct status status;
	struct observed seen;
	struct trails trails;
	struct desired want;
	bool has_list;
	struct watching watches[KINDS];
	struct actors *actors;
	size_t in_flight;
	int wake_fd, stop_fd, kill_fd; /* stop and kill stay readable */
	atomic_bool stopping, killed, dirty, update;
	atomic_llong leader_until_ms; /* INT64_MAX without a lease */
	atomic_size_t prune_allowed;
	struct k8s_client *lease_client;
	struct lease lease;
	pthread_t lease_thread, loop_thread;
	bool lease_started, loop_started, was_leader;
	bool told_refused;
	size_t told_conflicts;
	int64_t list_at_ms, pass_at_ms, full_at_ms, wake_at_ms;
	struct event_pace events;
};

static void
poke(int fd)
{
	(void)!write(fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

static bool
is_stopping(void *ctx)
{
	return atomic_load(&((struct supervisor *)ctx)->stopping);
}

static bool
is_killed(void *ctx)
{
	return atomic_load(&((struct supervisor *)ctx)->killed);
}

static bool
leads(void *ctx)
{
	struct supervisor *s = ctx;

	return atomic_load(&s->leader_until_ms) > clock_mono_ms();
}

static void
news(void *ctx)
{
	struct supervisor *s = ctx;

	atomic_store(&s->dirty, true);
	poke(s->wake_fd);
}

/*
 * Watches.
 */

static void
on_list_begin(void *ctx)
{
	struct watching *w = ctx;

	pthread_mutex_lock(&w->s->seen.lock);
	observed_list_begin(&w->s->seen, w->kind);
	pthread_mutex_unlock(&w->s->seen.lock);
}

static int
on_put(void *ctx, const json_t *object, struct err_info *ei)
{
	struct watching *w = ctx;
	bool synced;
	int rc;

	pthread_mutex_lock(&w->s->seen.lock);
	rc = observed_put(&w->s->seen, w->kind, object, ei);
	w->s->seen.watch_events++;
	synced = w->s->seen.synced[w->kind];
	pthread_mutex_unlock(&w->s->seen.lock);
	if (synced)
		news(w->s);
	return rc;
}

static void
on_list_end(void *ctx)
{
	struct watching *w = ctx;

	pthread_mutex_lock(&w->s->seen.lock);
	observed_list_end(&w->s->seen, w->kind);
	pthread_mutex_unlock(&w->s->seen.lock);
	news(w->s);
}

static void
on_removed(void *ctx, const json_t *object)
{
	struct watching *w = ctx;

	pthread_mutex_lock(&w->s->seen.lock);
	observed_remove(&w->s->seen, w->kind, object);
	pthread_mutex_unlock(&w->s->seen.lock);
	news(w->s);
}

static void
on_trouble(void *ctx, int rc, const char *text)
{
	(void)ctx;
	log_warning(
	    "watch begins anew", LOG_S("code", err_name(rc)), LOG_S("error", text), LOG_END);
}

static void *
run_watch(void *arg)
{
	static const struct k8s_watch_events events = { on_list_begin, on_put, on_list_end,
		on_removed, on_trouble };
	struct watching *w = arg;
	struct k8s_watch watch;

	k8s_watch_init(&watch, w->client, w->path, &events, w);
	k8s_watch_run(&watch);
	k8s_watch_clear(&watch);
	return NULL;
}

/*
 * Leading.
 */

static void *
run_lease(void *arg)
{
	struct supervisor *s = arg;
	bool told = false;

	for (;;) {
		struct err_info ei = { .text = "" };
		bool before = leads(s);
		int rc = lease_try(&s->lease, &ei);

		if (rc == 0 || rc == ERR_BUSY)
			atomic_store(&s->leader_until_ms,
			    rc == 0 ? (long long)s->lease.valid_until_ms : 0);
		if (rc != 0 && rc != ERR_BUSY && rc != ERR_CANCELED && !told)
			log_warning("lease not renewed", LOG_S("error", ei.text), LOG_END);
		told = rc != 0 && rc != ERR_BUSY;
		if (before != leads(s))
			news(s);
		if (k8s_wait(s->lease_client, LEASE_RETRY_MS) != 0 || is_stopping(s))
			return NULL;
	}
}

/*
 * The list.
 */

static void
list_failed(struct supervisor *s, const char *why)
{
	pthread_mutex_lock(&s->status.lock);
	s->status.list_failures++;
	snprintf(s->status.error, sizeof(s->status.error), "%s", why);
	pthread_mutex_unlock(&s->status.lock);
	log_error("the repository list changes nothing", LOG_S("error", why), LOG_END);
}

/* An empty list is only believed where nothing was there before. */
static bool
is_suddenly_empty(struct supervisor *s, const struct repo_list *list)
{
	size_t present;

	pthread_mutex_lock(&s->seen.lock);
	present = s->seen.objects[KIND_DEPLOYMENT].count;
	pthread_mutex_unlock(&s->seen.lock);
	return list->count == 0 && (present > 0 || (s->has_list && s->want.list.count > 0));
}

static void
take_list(struct supervisor *s, struct repo_list *list)
{
	struct desired want = { .items = NULL };

	if (is_suddenly_empty(s, list)) {
		s->o.source->digest[0] =
		    '\0'; /* told again, and taken if the cluster is emptied */
		list_failed(s, "it is empty and was not before");
	} else if (desired_build(s->o.desired, list, &want) != 0) {
		list_failed(s, "out of memory");
	} else {
		desired_clear(&s->want);
		s->want = want;
		s->has_list = true;
		pthread_mutex_lock(&s->status.lock);
		s->status.list_reads++;
		s->status.desired = want.list.count;
		s->status.error[0] = '\0';
		pthread_mutex_unlock(&s->status.lock);
		log_info(
		    "repository list read", LOG_I("repositories", want.list.count), LOG_END);
		atomic_store(&s->dirty, true);
	}
	repo_list_clear(list);
}

static void
read_list(struct supervisor *s)
{
	struct repo_list list = { .items = NULL };
	struct err_info ei = { .text = "" };
	bool same = false;
	int rc = source_read(s->o.source, &same, &list, &ei);

	s->list_at_ms =
	    clock_mono_ms() +
	    (rc == 0 || s->o.list_ms < LIST_RETRY_MS ? s->o.list_ms : LIST_RETRY_MS);
	if (rc == ERR_CANCELED)
		return;
	if (rc != 0) {
		s->o.source->digest[0] = '\0';
		list_failed(s, ei.text[0] != '\0' ? ei.text : err_name(rc));
	} else if (!same) {
		take_list(s, &list);
	}
}

/*
 * Work.
 */

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
		snprintf(j->repo, sizeof(j->repo), "%s", a->entry->name);
	}
	buf_clear(&body);
	if (rc != 0) {
		job_free(j);
		return rc;
	}
	j->action = *a;
	j->action.entry = NULL;
	trail_begin(t, a, version_of(s, a));
	s->in_flight++;
	actors_add(s->actors, j);
	return 0;
}

static void
send_event(struct supervisor *s, const struct job *of)
{
	struct job *j;
	char *body = NULL;
	int rc = event_make(&s->events, s->o.desired->namespace_name, s->o.desired->manager, of,
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

static void
finish(struct supervisor *s, struct job *j)
{
	static const char *const verbs[ACTS] = { "create", "update", "repair", "delete" };
	const struct action *a = &j->action;
	struct trail *t = trail_get(&s->trails, a->kind, a->name);

	if (t != NULL)
		trail_end(t, a, j->rc, j->version, clock_mono_ms(), k8s_random());
	s->in_flight--;
	pthread_mutex_lock(&s->status.lock);
	if (j->rc == 0)
		s->status.applied[a->verb]++;
	else if (j->rc != ERR_CANCELED)
		s->status.failed++;
	pthread_mutex_unlock(&s->status.lock);
	if (j->rc == ERR_CANCELED)
		return;
	if (j->rc == 0)
		log_info("object written", LOG_S("action", verbs[a->verb]),
		    LOG_S("object", a->name), LOG_S("repository", j->repo), LOG_END);
	else
		log_warning("object not written", LOG_S("action", verbs[a->verb]),
		    LOG_S("object", a->name), LOG_S("repository", j->repo),
		    LOG_S("error", j->ei.text), LOG_END);
	send_event(s, j);
}

static void
collect(struct supervisor *s)
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
tell(struct supervisor *s, const struct plan *p, bool leader)
{
	if (p->prune_refused && !s->told_refused)
		log_error("too many repositories left the list: none is removed without a "
			  "confirmation",
		    LOG_I("left", p->left), LOG_I("limit", p->prune_limit), LOG_END);
	s->told_refused = p->prune_refused;
	if (p->conflicts > s->told_conflicts)
		log_error("objects of others have names of ours and are left alone",
		    LOG_I("conflicts", p->conflicts), LOG_S("first", p->conflict_name),
		    LOG_END);
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

static void
pass(struct supervisor *s)
{
	bool leader = leads(s);
	struct reconcile_opts o = { .batch = s->o.batch,
		.actions_max = leader ? IN_FLIGHT_MAX - s->in_flight : PLAN_ALL,
		.prune_percent = s->o.prune_percent,
		.prune_allowed = atomic_load(&s->prune_allowed),
		.now_ms = clock_mono_ms() };
	int64_t wall = us_of(CLOCK_MONOTONIC), cpu = us_of(CLOCK_THREAD_CPUTIME_ID);
	struct plan plan = { .actions = NULL };
	int rc;

	pthread_mutex_lock(&s->seen.lock);
	rc = s->has_list && s->seen.synced[KIND_DEPLOYMENT] && s->seen.synced[KIND_SERVICE]
		 ? reconcile(&s->want, &s->seen, &s->trails, &o, &plan)
		 : ERR_BUSY;
	for (size_t i = 0; rc == 0 && leader && i < plan.count; i++)
		rc = give_out(s, &plan.actions[i]);
	if (rc == 0)
		tell(s, &plan, leader);
	pthread_mutex_unlock(&s->seen.lock);
	s->pass_at_ms = clock_mono_ms();
	s->full_at_ms = s->pass_at_ms + s->o.resync_ms;
	s->wake_at_ms = plan.wake_ms;
	if (rc == 0 && plan.left == 0 && o.prune_allowed > 0 && leader)
		atomic_store(&s->prune_allowed, 0); /* a confirmation is for once */
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

static int64_t
sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
next_pass_ms(const struct supervisor *s)
{
	int64_t at = s->full_at_ms;

	if (s->wake_at_ms != 0)
		at = sooner(at, s->wake_at_ms);
	if (atomic_load(&s->dirty))
		at = 0;
	return at > s->pass_at_ms + PASS_EVERY_MS ? at : s->pass_at_ms + PASS_EVERY_MS;
}

static void *
run_loop(void *arg)
{
	struct supervisor *s = arg;

	while (!is_stopping(s)) {
		struct pollfd fds[2] = { { .fd = s->wake_fd, .events = POLLIN },
			{ .fd = s->stop_fd, .events = POLLIN } };
		int64_t now = clock_mono_ms(), wait;
		uint64_t times;

		if (atomic_exchange(&s->update, false) || now >= s->list_at_ms)
			read_list(s);
		collect(s);
		if (clock_mono_ms() >= next_pass_ms(s)) {
			/* Before anything is looked at: later news are for the next pass. */
			atomic_store(&s->dirty, false);
			pass(s);
		}
		wait = sooner(s->list_at_ms, next_pass_ms(s)) - clock_mono_ms();
		if (wait > 0)
			poll(fds, 2, (int)sooner(wait, 60000));
		(void)!read(s->wake_fd, &times, sizeof(times));
	}
	return NULL;
}

/*
 * Start and stop.
 */

static int
start_threads(struct supervisor *s, struct err_info *ei)
{
	const struct cancel stop = { s->stop_fd, is_stopping, s };
	const struct cancel kill = { s->kill_fd, is_killed, s };
	const struct act_opts act = { s->o.api, s->o.desired->namespace_name,
		s->o.desired->manager, s->o.threads, &kill, leads, news, s };
	int rc = actors_start(&act, &s->actors, ei);

	for (enum kind k = 0; k < KINDS && rc == 0; k++) {
		struct watching *w = &s->watches[k];

		w->s = s;
		w->kind = k;
		snprintf(w->path, sizeof(w->path),
		    k == KIND_DEPLOYMENT ? "/apis/apps/v1/namespaces/%.63s/deployments"
					 : "/api/v1/namespaces/%.63s/services",
		    s->o.desired->namespace_name);
		rc = k8s_client_new(s->o.api, &stop, NULL, &w->client, ei);
		w->started = rc == 0 && pthread_create(&w->thread, NULL, run_watch, w) == 0;
	}
	if (rc == 0 && s->o.lease_name != NULL) {
		rc = k8s_client_new(s->o.api, &stop, NULL, &s->lease_client, ei);
		lease_init(
		    &s->lease, s->lease_client, s->o.desired->namespace_name, s->o.lease_name);
		s->lease_started =
		    rc == 0 && pthread_create(&s->lease_thread, NULL, run_lease, s) == 0;
	}
	s->o.source->cancel = stop;
	s->loop_started = rc == 0 && pthread_create(&s->loop_thread, NULL, run_loop, s) == 0;
	return rc != 0 || s->loop_started ? rc : ERR_NOMEM;
}

int
supervisor_start(const struct supervisor_opts *o, struct supervisor **ret, struct err_info *ei)
{
	struct supervisor *s = mem_zalloc(sizeof(*s));
	int rc;

	if (s == NULL)
		return ERR_NOMEM;
	s->o = *o;
	atomic_store(&s->leader_until_ms, o->lease_name == NULL ? INT64_MAX : 0);
	atomic_store(&s->prune_allowed, o->prune_allowed);
	status_init(&s->status);
	observed_init(&s->seen, o->desired->manager, o->desired->namespace_name);
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->kill_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rc = s->wake_fd < 0 || s->stop_fd < 0 || s->kill_fd < 0
		 ? err_set(ei, ERR_IO, "no descriptors are left")
		 : start_threads(s, ei);
	if (rc != 0) {
		supervisor_stop(s);
		return rc;
	}
	*ret = s;
	return 0;
}

/* What runs may end within DRAIN_MS; then it is cut. */
static void *
kill_later(void *arg)
{
	struct supervisor *s = arg;
	struct pollfd p = { .fd = s->kill_fd, .events = POLLIN };

	poll(&p, 1, DRAIN_MS);
	atomic_store(&s->killed, true);
	poke(s->kill_fd);
	return NULL;
}

static void
release_lease(struct supervisor *s)
{
	struct err_info ei = { .text = "" };
	struct k8s_client *client;

	/* The lease's own client has been canceled. */
	if (k8s_client_new(s->o.api, NULL, NULL, &client, &ei) == 0) {
		s->lease.client = client;
		if (lease_release(&s->lease, &ei) != 0)
			log_warning("lease not released", LOG_S("error", ei.text), LOG_END);
		k8s_client_free(client);
	}
}

static void
free_supervisor(struct supervisor *s)
{
	for (int k = 0; k < KINDS; k++)
		k8s_client_free(s->watches[k].client);
	k8s_client_free(s->lease_client);
	lease_clear(&s->lease);
	desired_clear(&s->want);
	trails_clear(&s->trails);
	observed_clear(&s->seen);
	status_clear(&s->status);
	close(s->wake_fd);
	close(s->stop_fd);
	close(s->kill_fd);
	mem_free(s);
}

void
supervisor_stop(struct supervisor *s)
{
	pthread_t killer;
	bool has_killer;

	if (s == NULL)
		return;
	atomic_store(&s->stopping, true);
	poke(s->stop_fd);
	poke(s->wake_fd);
	has_killer = pthread_create(&killer, NULL, kill_later, s) == 0;
	if (s->loop_started)
		pthread_join(s->loop_thread, NULL);
	actors_stop(s->actors);
	for (int k = 0; k < KINDS; k++) {
		if (s->watches[k].started)
			pthread_join(s->watches[k].thread, NULL);
	}
	if (s->lease_started) {
		pthread_join(s->lease_thread, NULL);
		release_lease(s);
	}
	poke(s->kill_fd);
	if (has_killer)
		pthread_join(killer, NULL);
	free_supervisor(s);
}

void
supervisor_update(struct supervisor *s)
{
	atomic_store(&s->update, true);
	poke(s->wake_fd);
}

void
supervisor_allow(struct supervisor *s, size_t removals)
{
	log_info("removals were confirmed", LOG_I("allow", removals), LOG_END);
	atomic_store(&s->prune_allowed, removals);
	news(s);
}

int
supervisor_health(struct supervisor *s, struct buf *out)
{
	return status_health(&s->status, out);
}

void
supervisor_metrics(struct supervisor *s, struct buf *out)
{
	status_metrics(&s->status, s->o.api, &s->seen, out);
}
