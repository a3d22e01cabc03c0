/*
 * maintnerd-sync - mirrors one GitHub repository into its log and snapshot.
 * Here: settings, and the loop of rounds and waits.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/repo_list.h"
#include "sync/github/gh_settings.h"
#include "sync/listener.h"
#include "sync/pace.h"
#include "sync/signals.h"
#include "sync/syncer.h"
#include "sync/tombs.h"

#define BACKOFF_FIRST_MS INT64_C(5000)
#define TEND_MS INT64_C(60000) /* lease and clean-up while idle */
#define ONCE_TRIES 3

struct settings {
	const char *owner, *repo, *log, *log_exact, *snapshot;
	const char *listen, *secret_file, *log_level, *ca_file;
	struct gh_settings github;
	int64_t interval_s, relist_s;
	bool once, rebuild, relist;
};

struct daemon {
	struct settings set;
	char repository[256]; /* "owner/repo" */
	int poke_fd, tomb_fd;
	struct signals signals;
	struct status status;
	struct http *http;
	struct gh *gh;
	struct mirror *mirror;
	struct listener *listener;
	char *secret;
	struct tomb_queue tombs;
	struct syncer syncer;
	struct pace pace;
	int64_t replay_logged_ms;
	bool waited_for_log;
	struct err_info tend_error; /* what looking after log and snapshot met while idle */
};

static int
read_settings(
    struct settings *s, int argc, char **argv, enum conf_next *next, struct err_info *ei)
{
	const struct conf_option options[] = {
		{ .name = "owner",
		    .target = &s->owner,
		    .required = true,
		    .value = "OWNER",
		    .help = "owner of the repository" },
		{ .name = "repo",
		    .target = &s->repo,
		    .required = true,
		    .value = "REPO",
		    .help = "name of the repository" },
		{ .name = "log",
		    .target = &s->log,
		    .value = "URL",
		    .help = "root of the logs; OWNER/REPO/ is added" },
		{ .name = "log-exact",
		    .target = &s->log_exact,
		    .value = "URL",
		    .help = "the repository's own log folder, instead of --log" },
		{ .name = "snapshot",
		    .target = &s->snapshot,
		    .required = true,
		    .value = "DIR",
		    .help = "directory of the LMDB snapshot" },
		GH_SETTINGS_ROWS(&s->github, "the repository's"),
		{ .name = "ca-file",
		    .target = &s->ca_file,
		    .value = "FILE",
		    .help = "PEM certificates to trust instead of the system's" },
		{ .name = "interval",
		    .type = CONF_NUMBER,
		    .target = &s->interval_s,
		    .low = 1,
		    .high = 86400,
		    .value = "SEC",
		    .help = "seconds between rounds, about; fewer while much happens [600]" },
		{ .name = "relist-interval",
		    .type = CONF_NUMBER,
		    .target = &s->relist_s,
		    .low = 0,
		    .high = 31536000,
		    .value = "SEC",
		    .help = "seconds between slow passes over everything; 0 = never [86400]" },
		{ .name = "relist",
		    .type = CONF_SWITCH,
		    .target = &s->relist,
		    .help = "make a slow pass at once" },
		{ .name = "once",
		    .type = CONF_SWITCH,
		    .target = &s->once,
		    .help = "exit with status 0 as soon as the mirror is in sync" },
		{ .name = "rebuild",
		    .type = CONF_SWITCH,
		    .target = &s->rebuild,
		    .help = "make the snapshot anew from the log first" },
		{ .name = "listen",
		    .target = &s->listen,
		    .value = "ADDR",
		    .help = "FastCGI socket for health, metrics and pokes" },
		{ .name = "internal-secret-file",
		    .target = &s->secret_file,
		    .value = "FILE",
		    .help = "secret that /internal requests must carry" },
		{ .name = "log-level",
		    .target = &s->log_level,
		    .value = "LEVEL",
		    .help = "debug, info, warning or error [info]" },
		{ .name = NULL },
	};
	const struct conf_program program = { "maintnerd-sync",
		"Mirrors one GitHub repository into its mutation log and LMDB snapshot.", NULL,
		options };
	int operand, rc = conf_read(&program, argc, argv, next, &operand, ei);

	if (rc == 0 && *next == CONF_RUN && (s->log == NULL) == (s->log_exact == NULL))
		rc = err_set(
		    ei, ERR_INVAL, "one of --log and --log-exact is required (see --help)");
	return rc;
}

/* Owner and repository become parts of URLs and object names. */
static int
check_name(const char *what, const char *name, struct err_info *ei)
{
	if (!repo_part_ok(slice_str(name)))
		return err_set(ei, ERR_INVAL, "--%s: \"%s\" is not a GitHub name", what, name);
	return 0;
}

/* --- events and waits --- */

static int
set_up_events(struct daemon *d, struct err_info *ei)
{
	d->poke_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	d->tomb_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (d->poke_fd < 0 || d->tomb_fd < 0)
		return err_set(ei, ERR_IO, "events: %s", strerror(errno));
	return signals_init(&d->signals, d->poke_fd, ei); /* SIGHUP is a poke: ask now */
}

static void
on_poke(void *ctx)
{
	struct daemon *d = ctx;

	(void)!write(d->poke_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

static void
on_tombstones(void *ctx)
{
	struct daemon *d = ctx;

	(void)!write(d->tomb_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

/* Errors after which going on cannot help: another process must be started for it. */
static bool
is_final(int rc)
{
	return rc == ERR_CONFLICT || rc == ERR_CORRUPT || rc == ERR_VERSION;
}

/* Sleep until the time is over, a stop, or (when `pokable`) a poke, which promises a change. */
static void
wait_for_round(struct daemon *d, int64_t ms, bool pokable)
{
	int64_t end = clock_mono_ms() + ms;

	while (!signals_stop_asked(&d->signals)) {
		struct pollfd p[3] = { { .fd = d->signals.fd, .events = POLLIN },
			{ .fd = pokable ? d->poke_fd : -1, .events = POLLIN },
			{ .fd = d->tomb_fd, .events = POLLIN } };
		int64_t left = end - clock_mono_ms();
		uint64_t pokes;
		int rc = 0;

		if (left <= 0)
			return;
		poll(p, 3, (int)(left < TEND_MS ? left : TEND_MS));
		if (p[1].revents != 0 && read(d->poke_fd, &pokes, sizeof(pokes)) > 0) {
			pace_promise(&d->pace);
			return;
		}
		if (p[2].revents != 0 && read(d->tomb_fd, &pokes, sizeof(pokes)) > 0)
			rc = syncer_sweep(&d->syncer, NULL);
		if (is_final(rc) || is_final(mirror_tend(d->mirror, &d->tend_error)))
			return; /* the next round meets it, too, and ends the program */
	}
}

static int
sleep_for_log(void *ctx, int64_t ms)
{
	struct daemon *d = ctx;

	if (!d->waited_for_log)
		log_warning(
		    "the log's last writer did not release it; waiting until its lease ends",
		    LOG_END);
	d->waited_for_log = true;
	return cancel_sleep(&d->signals.at_once, ms);
}

/* --- what the parts tell --- */

static void
on_wait(void *ctx, int64_t ms, const char *why)
{
	struct daemon *d = ctx;

	if (strcmp(why, "pace") == 0) {
		log_debug("pacing requests", LOG_I("ms", ms), LOG_END);
	} else if (strcmp(why, "retry") != 0) {
		log_info(
		    "waiting for GitHub's rate limit", LOG_I("seconds", ms / 1000), LOG_END);
		status_set_phase(&d->status, "waiting");
	}
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

static void
on_note(void *ctx, const char *message, uint64_t count)
{
	(void)ctx;
	log_warning(message, LOG_I("count", count), LOG_END);
}

static int
on_replay(void *ctx, uint64_t bytes, uint64_t total)
{
	struct daemon *d = ctx;
	int64_t now = clock_mono_ms();

	pthread_mutex_lock(&d->status.lock);
	d->status.replay_bytes = bytes;
	d->status.replay_total = total;
	pthread_mutex_unlock(&d->status.lock);
	if (signals_stop_asked(&d->signals))
		return ERR_CANCELED;
	if (now - d->replay_logged_ms < 10000 && bytes < total)
		return 0;
	d->replay_logged_ms = now;
	log_info(
	    "replaying the log", LOG_I("bytes", bytes), LOG_I("total_bytes", total), LOG_END);
	return 0;
}

/* --- start --- */

static int
open_github(struct daemon *d, struct err_info *ei)
{
	struct gh_opts o = gh_settings_opts(&d->set.github);
	int rc = http_curl_new("drghs-worker/" MAINTNER_VERSION, d->set.ca_file,
	    &d->signals.at_once, &d->http, ei);

	o.http = d->http;
	o.repository = d->repository;
	o.cancel = d->signals.at_once;
	o.on_wait = on_wait;
	o.on_retry = on_retry;
	o.on_credentials = on_credentials;
	o.ctx = d;
	return rc == 0 ? gh_new(&o, &d->gh, ei) : rc;
}

static int
open_mirror(struct daemon *d, struct err_info *ei)
{
	const struct store_open_opts store = { .cancel = &d->signals.in_grace,
		.ca_file = d->set.ca_file };
	struct mirror_opts o = { .owner = d->set.owner,
		.store = &store,
		.repo = d->set.repo,
		.log_url = d->set.log != NULL ? d->set.log : d->set.log_exact,
		.log_exact = d->set.log == NULL,
		.snapshot_dir = d->set.snapshot,
		.rebuild = d->set.rebuild,
		.sleep_ms = sleep_for_log,
		.on_note = on_note,
		.on_replay = on_replay,
		.ctx = d };

	status_set_phase(&d->status, "opening");
	return mirror_open(&o, &d->mirror, ei);
}

static int
open_listener(struct daemon *d, struct err_info *ei)
{
	struct listener_opts o = { .status = &d->status,
		.on_sync = on_poke,
		.tombs = &d->tombs,
		.on_tombstones = on_tombstones,
		.ctx = d };
	struct addr addr;
	int rc;

	if (d->set.listen == NULL)
		return 0;
	rc = addr_parse(d->set.listen, &addr, ei);
	if (rc == 0 && d->set.secret_file != NULL)
		rc = conf_read_secret(d->set.secret_file, &d->secret, ei);
	o.addr = &addr;
	o.secret = d->secret;
	return rc == 0 ? listener_start(&o, &d->listener, ei) : rc;
}

static int
start(struct daemon *d, struct err_info *ei)
{
	int rc = check_name("owner", d->set.owner, ei);

	if (rc == 0)
		rc = check_name("repo", d->set.repo, ei);
	if (rc == 0)
		rc = set_up_events(d, ei);
	if (rc != 0)
		return rc;
	status_init(&d->status);
	tomb_queue_init(&d->tombs, listener_order_done);
	rc = open_listener(d, ei); /* first: a long rebuild can be watched */
	if (rc == 0)
		rc = open_github(d, ei);
	if (rc == 0)
		rc = open_mirror(d, ei);
	return rc;
}

static void
stop(struct daemon *d)
{
	if (d->listener != NULL) /* first: answers that wait would hold it up */
		tomb_queue_close(&d->tombs);
	listener_stop(d->listener);
	if (d->mirror != NULL && mirror_unflushed_bytes(d->mirror) > 0)
		log_warning("what is not in the log yet is kept in the snapshot's outbox",
		    LOG_I("bytes", mirror_unflushed_bytes(d->mirror)), LOG_END);
	mirror_close(d->mirror);
	gh_free(d->gh);
	http_free(d->http);
	mem_free(d->secret);
}

/* --- rounds --- */

static void
log_round(struct daemon *d, int64_t started_ms, int rc, const struct err_info *ei)
{
	const struct gh_stats *g = gh_stats(d->gh);

	if (rc == 0)
		log_info("round finished", LOG_I("ms", clock_mono_ms() - started_ms),
		    LOG_I("requests", g->requests), LOG_I("not_modified", g->not_modified),
		    LOG_I("records", mirror_records(d->mirror)),
		    LOG_I("rate_remaining", g->rate_remaining), LOG_END);
	else if (rc != ERR_CANCELED)
		log_error("round failed", LOG_S("error", ei->text), LOG_S("kind", err_name(rc)),
		    LOG_I("requests", g->requests), LOG_END);
}

/* Requests that the budget was charged for. */
static uint64_t
requests_spent(const struct daemon *d)
{
	const struct gh_stats *g = gh_stats(d->gh);

	return g->requests - g->not_modified - g->graphql_requests;
}

/* One round and what is to be waited after it. */
static int
run_round(struct daemon *d, int64_t *backoff, int64_t *ret_wait)
{
	uint64_t records = mirror_records(d->mirror), spent = requests_spent(d);
	int64_t started = clock_mono_ms(), interval = d->set.interval_s * 1000;
	struct err_info ei = { 0 };
	int rc = syncer_round(&d->syncer, &ei);

	log_round(d, started, rc, &ei);
	if (rc == 0) {
		*ret_wait = pace_next(&d->pace, mirror_records(d->mirror) != records,
		    requests_spent(d) - spent, gh_stats(d->gh)->rate_limit);
		*backoff = BACKOFF_FIRST_MS;
	} else {
		*ret_wait = *backoff < interval ? *backoff : interval;
		*backoff *= 2;
	}
	return rc;
}

static int
run_rounds(struct daemon *d)
{
	const struct syncer_opts o = { .mirror = d->mirror,
		.gh = d->gh,
		.status = &d->status,
		.tombs = &d->tombs,
		.owner = (char *)(uintptr_t)d->set.owner,
		.repo = (char *)(uintptr_t)d->set.repo,
		.relist_ms = d->set.once ? 0 : d->set.relist_s * 1000,
		.relist_now = d->set.relist };
	int64_t backoff = BACKOFF_FIRST_MS, wait = 0;
	int rc = 0, tries = 0;

	pace_init(&d->pace, d->set.interval_s * 1000);
	syncer_init(&d->syncer, &o);
	while (!signals_stop_asked(&d->signals)) {
		rc = run_round(d, &backoff, &wait);
		if (is_final(rc) || (d->set.once && (rc == 0 || ++tries == ONCE_TRIES)))
			break;
		status_set_phase(&d->status, rc == 0 ? "idle" : "backing off");
		if (rc != ERR_CANCELED)
			wait_for_round(d, wait, rc == 0);
		rc = 0; /* a stop meanwhile is no failure */
	}
	syncer_clear(&d->syncer);
	return rc;
}

int
main(int argc, char **argv)
{
	static struct daemon d = { .set = { .github = GH_SETTINGS_DEFAULT,
				       .log_level = "info",
				       .interval_s = 600,
				       .relist_s = 86400 } };
	enum log_severity level = LOG_SEV_INFO;
	enum conf_next next = CONF_RUN;
	struct err_info ei = { 0 };
	int rc;

	rc = read_settings(&d.set, argc, argv, &next, &ei);
	if (rc == 0 && next == CONF_EXIT)
		return 0;
	if (rc == 0)
		rc = gh_settings_finish(&d.set.github, &ei);
	if (rc == 0 && !log_severity_parse(d.set.log_level, &level))
		rc =
		    err_set(&ei, ERR_INVAL, "--log-level: \"%s\" is no level", d.set.log_level);
	if (rc != 0) {
		fprintf(stderr, "maintnerd-sync: %s\n", ei.text);
		return 2;
	}
	umask(0007);               /* the responder runs as another user of the same group */
	prctl(PR_SET_DUMPABLE, 0); /* the token must not end in a core file */
	snprintf(d.repository, sizeof(d.repository), "%s/%s", d.set.owner, d.set.repo);
	log_setup("maintnerd-sync", d.repository, level);
	rc = start(&d, &ei);
	if (rc != 0 && rc != ERR_CANCELED)
		log_error("cannot start",
		    LOG_S("error", ei.text[0] != '\0' ? ei.text : err_name(rc)), LOG_END);
	else if (rc == 0)
		rc = run_rounds(&d);
	stop(&d);
	if (rc == 0 || rc == ERR_CANCELED)
		log_info("stopped", LOG_END);
	return rc == 0 || rc == ERR_CANCELED ? 0 : 1;
}
