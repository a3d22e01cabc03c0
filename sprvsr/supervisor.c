/* supervisor.c - see supervisor.h: the loop, its threads, their end. */
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "sprvsr/k8s_watch.h"
#include "sprvsr/supervisor_impl.h"

#define PASS_EVERY_MS 100 /* news that come together are one pass */
#define DRAIN_MS 2000     /* for requests that run when the program stops */

static void
poke(int fd)
{
	(void)!write(fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

bool
supervisor_is_stopping(void *supervisor)
{
	return atomic_load(&((struct supervisor *)supervisor)->stopping);
}

static bool
is_killed(void *ctx)
{
	return atomic_load(&((struct supervisor *)ctx)->killed);
}

bool
supervisor_leads(void *supervisor)
{
	struct supervisor *s = supervisor;

	return atomic_load(&s->leader_until_ms) > clock_mono_ms();
}

/*
 * A request that is still under way when another replica may lead could undo what that one
 * does: it ends before the lease does.
 */
int64_t
supervisor_time_left_ms(void *supervisor)
{
	struct supervisor *s = supervisor;
	int64_t until = atomic_load(&s->leader_until_ms), now = clock_mono_ms();

	if (until <= now)
		return 0;
	return until == INT64_MAX ? until
				  : until - now + LEASE_S * INT64_C(1000) - LEASE_VALID_MS;
}

void
supervisor_wake(struct supervisor *s)
{
	poke(s->wake_fd);
}

void
supervisor_news(void *supervisor)
{
	struct supervisor *s = supervisor;

	atomic_store(&s->dirty, true);
	supervisor_wake(s);
}

/*
 * Leading.
 */

static void
note_holder(struct supervisor *s)
{
	pthread_mutex_lock(&s->lock);
	snprintf(s->holder, sizeof(s->holder), "%s", lease_holder(&s->lease));
	pthread_mutex_unlock(&s->lock);
}

/*
 * Whoever led before may have acted on a newer list than the one that was read here.  The
 * time is set before anybody can see that this one leads, else the loop could act once on
 * what it read as a follower.
 */
static void
take_turn(struct supervisor *s, int rc)
{
	if (rc == 0 && !supervisor_leads(s))
		atomic_store(&s->led_since_ms, clock_mono_ms());
	if (rc == 0 || rc == ERR_BUSY)
		atomic_store(
		    &s->leader_until_ms, rc == 0 ? (long long)s->lease.valid_until_ms : 0);
}

static void *
run_lease(void *arg)
{
	struct supervisor *s = arg;
	bool told = false, led = false;

	for (;;) {
		struct err_info ei = { .text = "" };
		int rc = lease_try(&s->lease, &ei);

		note_holder(s);
		take_turn(s, rc);
		if (rc != 0 && rc != ERR_BUSY && rc != ERR_CANCELED && !told)
			log_warning("lease not renewed", LOG_S("error", ei.text), LOG_END);
		told = rc != 0 && rc != ERR_BUSY;
		/* It may also have ended while this thread waited or hung. */
		if (led != supervisor_leads(s)) {
			led = !led;
			if (led)
				supervisor_update(s);
			supervisor_news(s);
		}
		if (k8s_wait(s->lease_client, LEASE_RETRY_MS) != 0 || supervisor_is_stopping(s))
			return NULL;
	}
}

/*
 * The loop.
 */

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

	while (!supervisor_is_stopping(s)) {
		struct pollfd fds[2] = { { .fd = s->wake_fd, .events = POLLIN },
			{ .fd = s->stop_fd, .events = POLLIN } };
		int64_t wait;
		uint64_t times;

		supervisor_take_list(s);
		supervisor_collect(s);
		if (clock_mono_ms() >= next_pass_ms(s)) {
			/* Before anything is looked at: later news are for the next pass. */
			atomic_store(&s->dirty, false);
			supervisor_pass(s);
		}
		wait = next_pass_ms(s) - clock_mono_ms();
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
start_thread(pthread_t *thread, void *(*run)(void *arg), void *arg, bool *ret_started,
    struct err_info *ei)
{
	*ret_started = pthread_create(thread, NULL, run, arg) == 0;
	return *ret_started ? 0 : err_set(ei, ERR_NOMEM, "no thread can be started");
}

static int
start_watch(
    struct supervisor *s, enum kind kind, const struct cancel *stop, struct err_info *ei)
{
	struct watching *w = &s->watches[kind];
	int rc;

	w->s = s;
	w->kind = kind;
	desired_collection(kind, s->o.desired->namespace_name, w->path);
	rc = k8s_client_new(s->o.api, stop, NULL, &w->client, ei);
	return rc != 0 ? rc
		       : start_thread(&w->thread, supervisor_run_watch, w, &w->started, ei);
}

static int
start_lease(struct supervisor *s, const struct cancel *stop, struct err_info *ei)
{
	int rc = k8s_client_new(s->o.api, stop, NULL, &s->lease_client, ei);

	if (rc != 0)
		return rc;
	lease_init(&s->lease, s->lease_client, s->o.desired->namespace_name, s->o.lease_name);
	return start_thread(&s->lease_thread, run_lease, s, &s->lease_started, ei);
}

static int
start_threads(struct supervisor *s, struct err_info *ei)
{
	const struct cancel stop = { s->stop_fd, supervisor_is_stopping, s };
	const struct cancel kill = { s->kill_fd, is_killed, s };
	const struct act_opts act = { s->o.api, s->o.desired->namespace_name,
		s->o.desired->manager, s->o.threads, &kill, supervisor_time_left_ms,
		supervisor_news, s };
	int rc = actors_start(&act, &s->actors, ei);

	for (enum kind k = 0; k < KINDS && rc == 0; k++)
		rc = start_watch(s, k, &stop, ei);
	if (rc == 0 && s->o.lease_name != NULL)
		rc = start_lease(s, &stop, ei);
	s->o.source->cancel = stop;
	if (rc == 0)
		rc = start_thread(
		    &s->reader_thread, supervisor_run_reader, s, &s->reader_started, ei);
	return rc != 0 ? rc : start_thread(&s->loop_thread, run_loop, s, &s->loop_started, ei);
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
	s->prune_allowed = o->prune_allowed;
	s->allowed_ms = clock_mono_ms();
	pthread_mutex_init(&s->lock, NULL);
	status_init(&s->status);
	observed_init(&s->seen, o->desired->manager, o->desired->namespace_name);
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->read_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->kill_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rc = s->wake_fd < 0 || s->read_fd < 0 || s->stop_fd < 0 || s->kill_fd < 0
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
	repo_list_clear(&s->reading.list);
	desired_clear(&s->want);
	trails_clear(&s->trails);
	observed_clear(&s->seen);
	status_clear(&s->status);
	pthread_mutex_destroy(&s->lock);
	close(s->wake_fd);
	close(s->read_fd);
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
	if (s->reader_started)
		pthread_join(s->reader_thread, NULL);
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
	poke(s->read_fd);
}

int
supervisor_allow(struct supervisor *s, size_t removals, struct err_info *ei)
{
	bool leads = supervisor_leads(s);
	int rc = 0;

	pthread_mutex_lock(&s->lock);
	if (leads) {
		s->prune_allowed = removals;
		s->allowed_ms = clock_mono_ms();
	} else {
		rc = err_set(ei, ERR_UNAVAILABLE,
		    "this replica does not lead; the lease's holder: %s",
		    s->holder[0] != '\0' ? s->holder : "nobody");
	}
	pthread_mutex_unlock(&s->lock);
	if (rc == 0)
		log_info("removals were confirmed", LOG_I("allow", removals), LOG_END);
	supervisor_update(s);
	return rc;
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
