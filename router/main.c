/*
 * maintner-rtr - a FastCGI dispatcher: relays each request to its repository's responder.
 * Here: settings, signals, and the thread that reads the repository list.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/signal_fd.h"
#include "router/loader.h"

#define UPDATE_EVERY_MS 250 /* requests for an update that come together are one */
#define FDS_BESIDE 64       /* descriptors that are no connection */
#define CONNS_MIN 16

struct settings {
	const char *listen, *repos, *backend, *internal, *sprvsr;
	const char *webhook_secret_file, *internal_secret_file, *ca_file, *log_level;
	int64_t interval_s, connect_ms, first_ms, idle_ms, keep_ms, names_ms;
	int64_t backend_conns, waiting, all_conns, client_conns;
	int64_t breaker_failures, breaker_retry_ms, fanout_ms, fanout_at_once, counts_ms;
	bool repository_metrics;
};

struct program {
	struct settings set;
	struct router *router;
	struct loader loader;
	struct addr sprvsr;
	char *internal_secret;
	pthread_t thread;
	int run_rc;
	int signal_fd, update_fd, done_fd;
	bool stopping, reload;
};

#define NUMBER(flag, member, least, most, unit, text)                                          \
	{                                                                                      \
		.name = flag, .type = CONF_NUMBER, .target = &s->member, .low = least,         \
		.high = most, .value = unit, .help = text                                      \
	}

static int
read_settings(
    struct settings *s, int argc, char **argv, enum conf_next *next, struct err_info *ei)
{
	const struct conf_option options[] = {
		{ .name = "listen",
		    .target = &s->listen,
		    .required = true,
		    .value = "ADDR",
		    .help = "unix:/path or host:port, where web servers ask" },
		{ .name = "repos",
		    .target = &s->repos,
		    .required = true,
		    .value = "URL",
		    .help = "the repository list: gs://bucket/name or file:///path" },
		{ .name = "backend",
		    .target = &s->backend,
		    .value = "TEMPLATE",
		    .help = "where a repository's responder listens [mtr-s-{sha}:9000]" },
		{ .name = "internal",
		    .target = &s->internal,
		    .value = "TEMPLATE",
		    .help = "where its sync daemon listens [mtr-s-{sha}:9001]" },
		{ .name = "sprvsr",
		    .target = &s->sprvsr,
		    .value = "ADDR",
		    .help = "the supervisor, told of updates" },
		{ .name = "webhook-secret-file",
		    .target = &s->webhook_secret_file,
		    .value = "FILE",
		    .help = "secrets of GitHub's webhooks, one a line" },
		{ .name = "internal-secret-file",
		    .target = &s->internal_secret_file,
		    .value = "FILE",
		    .help = "the secret that sync daemons ask for" },
		{ .name = "ca-file",
		    .target = &s->ca_file,
		    .value = "FILE",
		    .help = "PEM certificates to trust instead of the system's" },
		NUMBER("interval", interval_s, 1, 86400, "SEC",
		    "seconds between readings of the list [600]"),
		NUMBER("connect-ms", connect_ms, 1, 600000, "MS",
		    "name lookup and connection [1000]"),
		NUMBER("first-byte-ms", first_ms, 1, 600000, "MS",
		    "until an answer begins [10000]"),
		NUMBER("idle-ms", idle_ms, 1, 600000, "MS",
		    "between two pieces of an answer [30000]"),
		NUMBER("keep-ms", keep_ms, 1, 3600000, "MS",
		    "how long an idle backend connection is kept [60000]"),
		NUMBER("names-ms", names_ms, 1, 3600000, "MS",
		    "how long a looked-up address is used [30000]"),
		NUMBER("backend-connections", backend_conns, 1, 10000, "N",
		    "to one backend at once [16]"),
		NUMBER("backend-waiting", waiting, 1, 100000, "N",
		    "requests that wait for one backend [64]"),
		NUMBER("all-connections", all_conns, CONNS_MIN, 100000, "N",
		    "to all backends at once [1024]"),
		NUMBER("client-connections", client_conns, CONNS_MIN, 100000, "N",
		    "from web servers at once [2048]"),
		NUMBER("breaker-failures", breaker_failures, 1, 1000000, "N",
		    "failures in a row after which a backend is only probed [5]"),
		NUMBER("breaker-retry-ms", breaker_retry_ms, 1, 600000, "MS",
		    "between two probes [1000]"),
		NUMBER("fanout-ms", fanout_ms, 1, 600000, "MS",
		    "for a list of repositories [3000]"),
		NUMBER("fanout-at-once", fanout_at_once, 1, 10000, "N",
		    "backends asked at once for it [64]"),
		NUMBER("counts-ms", counts_ms, 0, 3600000, "MS",
		    "how long their answers are used again [5000]"),
		{ .name = "repository-metrics",
		    .type = CONF_SWITCH,
		    .target = &s->repository_metrics,
		    .help = "count requests for each repository, too" },
		{ .name = "log-level",
		    .target = &s->log_level,
		    .value = "LEVEL",
		    .help = "debug, info, warning or error [info]" },
		{ .name = NULL },
	};
	const struct conf_program program = { "maintner-rtr",
		"Relays FastCGI requests to the responders of many mirrored repositories.",
		NULL, options };
	int operand;

	return conf_read(&program, argc, argv, next, &operand, ei);
}

/*
 * Signals and waits.
 */

static int
set_up_descriptors(struct program *p)
{
	/* SIGUSR1 is how Apache and lighttpd end a FastCGI program. */
	p->signal_fd =
	    signal_fd_open((const int[]){ SIGTERM, SIGINT, SIGUSR1, SIGHUP, 0 }, SFD_NONBLOCK);
	p->update_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	p->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return p->signal_fd < 0 || p->update_fd < 0 || p->done_fd < 0 ? ERR_IO : 0;
}

/* True when it is time to stop.  The second signal to stop is not waited for. */
static bool
check_signals(void *ctx)
{
	struct program *p = ctx;
	struct signalfd_siginfo info;

	while (read(p->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			p->reload = true;
			continue;
		}
		if (p->stopping)
			router_kill(p->router);
		else
			router_stop(p->router);
		p->stopping = true;
	}
	return p->stopping;
}

static void
on_update(void *ctx)
{
	struct program *p = ctx;

	(void)!write(p->update_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

static void *
run_router(void *arg)
{
	struct program *p = arg;

	p->run_rc = router_run(p->router);
	(void)!write(p->done_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
	return NULL;
}

/* Until it is time to read the list; false when the router has ended. */
static bool
wait_for_turn(struct program *p)
{
	for (;;) {
		struct pollfd fds[3] = { { .fd = p->done_fd, .events = POLLIN },
			{ .fd = p->signal_fd, .events = POLLIN },
			{ .fd = p->stopping ? -1 : p->update_fd, .events = POLLIN } };
		int64_t now = clock_mono_ms(), wait = loader_wait_ms(&p->loader, now);
		int64_t soonest = p->loader.read_at_ms + UPDATE_EVERY_MS - now;
		uint64_t times;

		if (p->reload)
			wait = soonest > 0 && p->loader.read_at_ms != 0 ? soonest : 0;
		if (p->stopping)
			wait = -1;
		else if (wait == 0)
			return true;
		if (poll(fds, 3, (int)(wait > 3600000 ? 3600000 : wait)) < 0 && errno != EINTR)
			return false;
		if (fds[0].revents != 0)
			return false;
		check_signals(p);
		if (fds[2].revents != 0 && read(p->update_fd, &times, sizeof(times)) > 0)
			p->reload = true;
	}
}

static int
serve(struct program *p)
{
	if (pthread_create(&p->thread, NULL, run_router, p) != 0)
		return ERR_NOMEM;
	while (wait_for_turn(p)) {
		p->reload = false;
		loader_read(&p->loader);
	}
	pthread_join(p->thread, NULL);
	return p->run_rc;
}

/*
 * Start.
 */

/* Room for all connections, or fewer connections. */
static void
fit_descriptors(struct settings *s)
{
	rlim_t want = (rlim_t)(s->client_conns + s->all_conns + FDS_BESIDE);
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur >= want)
		return;
	r.rlim_cur = r.rlim_max < want ? r.rlim_max : want;
	if (setrlimit(RLIMIT_NOFILE, &r) != 0)
		getrlimit(RLIMIT_NOFILE, &r);
	if (r.rlim_cur >= want)
		return;
	want = r.rlim_cur > FDS_BESIDE ? r.rlim_cur - FDS_BESIDE : 0;
	s->all_conns = (int64_t)(want / 3);
	s->client_conns = (int64_t)(want - want / 3);
	s->all_conns = s->all_conns < CONNS_MIN ? CONNS_MIN : s->all_conns;
	s->client_conns = s->client_conns < CONNS_MIN ? CONNS_MIN : s->client_conns;
	log_warning("few file descriptors are allowed: fewer connections",
	    LOG_I("descriptors", r.rlim_cur), LOG_I("client_connections", s->client_conns),
	    LOG_I("all_connections", s->all_conns), LOG_END);
}

static int
fill_opts(struct program *p, struct router_opts *o, struct err_info *ei)
{
	const struct settings *s = &p->set;
	int rc = addr_parse(s->listen, &o->listen, ei);

	if (rc == 0)
		rc = repo_template_check(s->backend, ei);
	if (rc == 0)
		rc = repo_template_check(s->internal, ei);
	if (rc == 0 && s->sprvsr != NULL)
		rc = addr_parse(s->sprvsr, &p->sprvsr, ei);
	if (rc == 0 && s->internal_secret_file != NULL)
		rc = conf_read_secret(s->internal_secret_file, &p->internal_secret, ei);
	o->backend = s->backend;
	o->internal = s->internal;
	o->internal_secret = p->internal_secret;
	o->webhook_secret_file = s->webhook_secret_file;
	o->sprvsr = s->sprvsr != NULL ? &p->sprvsr : NULL;
	o->connect_ms = (unsigned)s->connect_ms;
	o->first_ms = (unsigned)s->first_ms;
	o->idle_ms = (unsigned)s->idle_ms;
	o->keep_ms = (unsigned)s->keep_ms;
	o->names_ms = (unsigned)s->names_ms;
	o->backend_conns = (unsigned)s->backend_conns;
	o->waiting = (unsigned)s->waiting;
	o->all_conns = (unsigned)s->all_conns;
	o->client_conns = (unsigned)s->client_conns;
	o->breaker.failures_max = (unsigned)s->breaker_failures;
	o->breaker.retry_ms = s->breaker_retry_ms;
	o->fanout_ms = (unsigned)s->fanout_ms;
	o->fanout_at_once = (unsigned)s->fanout_at_once;
	o->counts_ms = (unsigned)s->counts_ms;
	o->repository_metrics = s->repository_metrics;
	o->on_update = on_update;
	o->ctx = p;
	return rc;
}

static int
start(struct program *p, struct err_info *ei)
{
	struct router_opts o = { .backend = NULL };
	int rc;

	if (set_up_descriptors(p) != 0)
		return err_set(ei, ERR_IO, "signals: %s", strerror(errno));
	fit_descriptors(&p->set);
	rc = loader_init(&p->loader, p->set.repos, ei);
	if (rc == 0)
		rc = fill_opts(p, &o, ei);
	if (rc == 0)
		rc = router_new(&o, &p->router, ei);
	p->loader.router = p->router;
	p->loader.source.ca_file = p->set.ca_file;
	p->loader.interval_ms = p->set.interval_s * 1000;
	p->loader.source.cancel =
	    (struct cancel){ .fd = p->signal_fd, .check = check_signals, .ctx = p };
	return rc;
}

int
main(int argc, char **argv)
{
	static struct program p = { .set = { .backend = "mtr-s-{sha}:9000",
					.internal = "mtr-s-{sha}:9001",
					.log_level = "info",
					.interval_s = 600,
					.connect_ms = 1000,
					.first_ms = 10000,
					.idle_ms = 30000,
					.keep_ms = 60000,
					.names_ms = 30000,
					.backend_conns = 16,
					.waiting = 64,
					.all_conns = 1024,
					.client_conns = 2048,
					.breaker_failures = 5,
					.breaker_retry_ms = 1000,
					.fanout_ms = 3000,
					.fanout_at_once = 64,
					.counts_ms = 5000 } };
	enum log_severity level = LOG_SEV_INFO;
	enum conf_next next = CONF_RUN;
	struct err_info ei = { 0 };
	int rc = read_settings(&p.set, argc, argv, &next, &ei);

	if (rc == 0 && next == CONF_EXIT)
		return 0;
	if (rc == 0 && !log_severity_parse(p.set.log_level, &level))
		rc =
		    err_set(&ei, ERR_INVAL, "--log-level: \"%s\" is no level", p.set.log_level);
	if (rc != 0) {
		fprintf(stderr, "maintner-rtr: %s\n", ei.text);
		return 2;
	}
	/* One name server that hangs must not hold up the lookups of other backends. */
	setenv("UV_THREADPOOL_SIZE", "16", 0);
	log_setup("maintner-rtr", NULL, level);
	rc = start(&p, &ei);
	if (rc == 0) {
		log_info("serving", LOG_S("listen", p.set.listen), LOG_S("repos", p.set.repos),
		    LOG_S("backend", p.set.backend), LOG_END);
		rc = serve(&p);
	} else {
		log_error("cannot start",
		    LOG_S("error", ei.text[0] != '\0' ? ei.text : err_name(rc)), LOG_END);
	}
	router_free(p.router);
	loader_clear(&p.loader);
	mem_free(p.internal_secret);
	if (rc == 0 || rc == ERR_TIMEOUT)
		log_info("stopped", LOG_END);
	return rc == 0 || rc == ERR_TIMEOUT ? 0 : 1;
}
