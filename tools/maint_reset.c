/*
 * maint-reset - fetches one repository anew: the steps that a person would take by hand,
 * scale to 0, delete the log, scale to 1, in one command that may be run again at any point.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tools/copy_log.h"
#include "tools/fcgi_ask.h"
#include "tools/free_log.h"
#include "tools/reset_settings.h"
#include "tools/scale.h"
#include "tools/stop.h"

#define ROUTER_MS 10000
#define POLL_MS 2000
#define URL_MAX 2048

enum {
	EXIT_DONE = 0,
	EXIT_UNDONE = 1,
	EXIT_USAGE = 2,
};

struct reset {
	struct reset_settings set;
	struct stop stop;
	struct scale *cluster;
	struct scale_target target;
	struct store *store;
	struct free_log log;
	int64_t began_with; /* replicas */
	bool begun;         /* something may have been changed */
	bool emptied;       /* the log was, or is being */
	bool started;       /* the pod for the new mirror was */
};

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void
say(const char *fmt, ...)
{
	va_list ap;

	fputs("maint-reset: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* --- before anything is done --- */

/*
 * Signals are blocked and read elsewhere, so they are waited for together with the line; a
 * terminal becomes readable when its line is complete.
 */
static int
wait_for_line(struct reset *r, struct err_info *ei)
{
	struct pollfd p[] = { { .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = r->stop.fd, .events = POLLIN } };

	while (p[0].revents == 0) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return err_set(ei, ERR_IO, "the terminal cannot be read");
		if (stop_asked(&r->stop))
			return err_set(ei, ERR_CANCELED, "stopped; nothing was done");
	}
	return 0;
}

/* Asked for by name, since a wrong repository costs hours of GitHub's limit. */
static int
confirm(struct reset *r, struct err_info *ei)
{
	char line[REPO_NAME_MAX + 2];

	if (r->set.yes || r->set.dry_run)
		return 0;
	if (isatty(STDIN_FILENO) == 0)
		return err_set(
		    ei, ERR_INVAL, "this is no terminal to confirm at: use --yes in scripts");
	fprintf(stderr,
	    "Deletes the log of %s in %s (%zu segments, %llu bytes) and fetches all again.\n"
	    "Type its name to go on: ",
	    r->set.repo, store_url(r->store), r->log.segments,
	    (unsigned long long)r->log.bytes);
	if (wait_for_line(r, ei) != 0)
		return ERR_CANCELED;
	if (fgets(line, sizeof(line), stdin) == NULL)
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return strcmp(line, r->set.repo) == 0
		   ? 0
		   : err_set(ei, ERR_INVAL, "\"%s\" is another name: nothing was done", line);
}

/*
 * Is it the log that the pod writes?  Of another one nothing would be missed, and the
 * repository would not be fetched anew.
 */
static int
check_place(const struct reset *r, struct err_info *ei)
{
	const struct reset_settings *s = &r->set;
	const char *url = s->log != NULL ? s->log : s->log_exact;
	size_t len = strlen(url);
	struct buf given;
	int rc;

	while (len > 0 && url[len - 1] == '/')
		len--;
	buf_init(&given, SCALE_URL_MAX + REPO_NAME_MAX);
	buf_add(&given, url, len);
	if (s->log != NULL)
		buf_fmt(&given, "/%s", s->repo);
	if (buf_cstr(&given) == NULL)
		rc = err_set(ei, ERR_LIMIT, "--log: too long");
	else if (r->target.log[0] != '\0' && strcmp(buf_cstr(&given), r->target.log) != 0)
		rc = err_set(ei, ERR_INVAL, "%s writes its log to %.200s, not to %.200s",
		    r->target.name, r->target.log, buf_cstr(&given));
	else
		rc = 0;
	buf_clear(&given);
	return rc;
}

static int
find(struct reset *r, struct err_info *ei)
{
	const struct reset_settings *s = &r->set;
	const struct scale_opts cluster = { s->kubeconfig, s->namespace_name, &r->stop.cancel,
		s->timeout_s * 1000 };
	const struct store_open_opts opts = { .cancel = &r->stop.cancel,
		.ca_file = s->ca_file };
	int rc = scale_open(&cluster, &r->cluster, ei);

	if (rc == 0)
		rc = scale_find(r->cluster, s->repo, &r->target, ei);
	if (rc == 0)
		rc = check_place(r, ei);
	if (rc == 0)
		rc = store_open_with(
		    s->log != NULL ? s->log : s->log_exact, &opts, &r->store, ei);
	r->log.store = r->store;
	r->began_with = r->target.replicas;
	return rc == 0 ? free_log_look(&r->log, ei) : rc;
}

static void
tell_plan(const struct reset *r)
{
	printf("Deployment %s in namespace %s, %lld replicas: scale to 0, wait for its pods\n",
	    r->target.name, scale_namespace(r->cluster), (long long)r->target.replicas);
	printf("log of %s in %s: %zu segments, %llu bytes: wait until nobody holds it, %s"
	       "delete it\n",
	    r->set.repo, store_url(r->store), r->log.segments, (unsigned long long)r->log.bytes,
	    r->set.keep_backup ? "copy it, " : "");
	printf("Deployment %s: scale to 1, wait until it is available%s\n", r->target.name,
	    r->set.router_text != NULL ? " and complete" : "");
}

/* --- the steps --- */

static void
on_wait(void *ctx, const char *holder, int64_t left_s)
{
	(void)ctx;
	say("%s did not release the log: waiting %lld s for its lease to end", holder,
	    (long long)left_s);
}

static int
stop_pod(struct reset *r, struct err_info *ei)
{
	say("scaling %s to 0 and waiting for its pods to end", r->target.name);
	return scale_to_zero(r->cluster, &r->target, false, ei);
}

static void
on_backup(void *ctx, const char *doing, uint64_t bytes, uint64_t total)
{
	(void)ctx;
	say("backup: %llu of %llu MB %s", (unsigned long long)(bytes / 1000000),
	    (unsigned long long)(total / 1000000), doing);
}

static int
back_up(struct reset *r, struct err_info *ei)
{
	const struct store_open_opts opts = { .cancel = &r->stop.cancel,
		.ca_file = r->set.ca_file };
	char url[URL_MAX], prefix[REPO_NAME_MAX + 40], when[32];
	time_t now = (time_t)(clock_real_ms() / 1000);
	struct copy_log_result done;
	struct copy_log job = { .from = r->store,
		.from_prefix = r->log.prefix,
		.to_prefix = prefix,
		.as_it_is = true,
		.on_progress = on_backup };
	struct tm tm;
	int n, rc;

	if (!r->set.keep_backup || r->log.segments == 0)
		return 0;
	n = snprintf(url, sizeof(url), "%s%s",
	    r->set.backup != NULL ? r->set.backup : r->set.log,
	    r->set.backup != NULL ? "" : RESET_BACKUP_DIR);
	if (n < 0 || (size_t)n >= sizeof(url))
		return err_set(ei, ERR_LIMIT, "--backup: too long");
	strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	snprintf(prefix, sizeof(prefix), "%s/%s/", when, r->set.repo);
	rc = store_open_with(url, &opts, &job.to, ei);
	if (rc == 0)
		rc = copy_log(&job, &done, ei);
	store_close(job.to);
	if (rc != 0)
		return err_wrap(
		    ei, rc, "copying the log to %s/%s, where it is unfinished", url, prefix);
	printf("backup: %s/%s, %zu segments, %llu bytes, verified\n", url, prefix,
	    done.segments, (unsigned long long)done.bytes);
	return 0;
}

static int
delete_log(struct reset *r, struct err_info *ei)
{
	size_t deleted = 0;
	int rc = free_log_take(&r->log, ei);

	if (rc == 0)
		rc = back_up(r, ei);
	if (rc != 0)
		return rc;
	say("deleting %zu segments", r->log.segments);
	r->emptied = true;
	rc = free_log_erase(&r->log, &deleted, ei);
	free_log_clear(&r->log); /* the pod that starts now will want its lock */
	if (rc == 0)
		printf("log of %s: %zu objects deleted\n", r->set.repo, deleted);
	return rc;
}

static int64_t
count_of(const json_t *repository, const char *member)
{
	return (int64_t)json_integer_value(json_object_get(repository, member));
}

/* How far it is; what the router cannot say yet is no error. */
static void
ask_router(const struct reset *r, char *text, size_t size, bool *ret_complete)
{
	char target[REPO_NAME_MAX + 16];
	const struct fcgi_question q = { .who = "the router",
		.addr = &r->set.router,
		.method = "GET",
		.target = target,
		.timeout_ms = ROUTER_MS };
	struct err_info ei = { .text = "" };
	json_t *doc = NULL;
	const json_t *now;

	snprintf(target, sizeof(target), "/api/v1/%s", r->set.repo);
	if (fcgi_ask(&q, &doc, NULL, &ei) != 0) {
		snprintf(text, size, "%.200s", ei.text);
		return;
	}
	now = json_object_get(doc, "repository");
	snprintf(text, size, "%lld issues, %lld pull requests, %lld comments, %lld events",
	    (long long)count_of(now, "issueCount"),
	    (long long)count_of(now, "pullRequestCount"),
	    (long long)count_of(now, "commentCount"), (long long)count_of(now, "eventCount"));
	*ret_complete = json_is_true(json_object_get(now, "complete"));
	json_decref(doc);
}

static int
wait_complete(struct reset *r, struct err_info *ei)
{
	int64_t end = clock_mono_ms() + r->set.timeout_s * 1000;
	char text[256] = "", told[256] = "";
	bool complete = false;

	for (;;) {
		ask_router(r, text, sizeof(text), &complete);
		if (strcmp(text, told) != 0)
			say("fetched so far: %s", text);
		memcpy(told, text, sizeof(told));
		if (complete) {
			printf("%s is complete again: %s\n", r->set.repo, text);
			return 0;
		}
		if (clock_mono_ms() >= end)
			return err_set(ei, ERR_TIMEOUT, "it is not complete yet: %s", text);
		if (cancel_sleep(&r->stop.cancel, POLL_MS) != 0)
			return err_set(ei, ERR_CANCELED, "stopped");
	}
}

static int
start_pod(struct reset *r, struct err_info *ei)
{
	int rc;

	say("scaling %s to 1 and waiting until it is available", r->target.name);
	rc = scale_to(r->cluster, &r->target, 1, ei);
	r->started = rc == 0;
	if (rc == 0)
		rc = scale_wait_available(r->cluster, &r->target, ei);
	if (rc != 0)
		return rc;
	if (r->set.router_text != NULL)
		return wait_complete(r, ei);
	printf("%s answers again; the rest is being fetched\n", r->set.repo);
	return 0;
}

/* --- when something fails --- */

/*
 * While the log is whole the pod can go on with it; later only a new run is right.  A
 * request that failed may have been done, so the Deployment is asked what it is at; where
 * it does not answer, the worst is assumed.
 */
static void
tell_undone(struct reset *r)
{
	const char *log = r->emptied ? "is empty or partly deleted (by WRITER it is empty)"
				     : "was not touched";
	struct err_info ei = { .text = "" };
	int rc;

	r->stop.finishing = true;
	rc = scale_look(r->cluster, &r->target, &ei);
	if (rc == 0 && r->started && r->target.replicas > 0) {
		say("left undone: %s is at %" PRId64
		    " replicas and fetches, but was not seen to "
		    "be done; it goes on by itself, running this again would begin anew",
		    r->target.name, r->target.replicas);
		return;
	}
	if (!r->emptied && r->began_with > 0 && (rc != 0 || r->target.replicas == 0)) {
		rc = scale_to(r->cluster, &r->target, r->began_with, &ei);
		if (rc == 0) {
			say("the log was not touched, and %s is at %" PRId64 " replicas again",
			    r->target.name, r->began_with);
			return;
		}
	}
	if (rc != 0)
		say("left undone: %s may be at 0 replicas (%s), the log %s; run this again",
		    r->target.name, ei.text, log);
	else
		say("left undone: %s is at %" PRId64 " replicas, the log %s; run this again",
		    r->target.name, r->target.replicas, log);
}

static int
run(struct reset *r, struct err_info *ei)
{
	int rc = find(r, ei);

	if (rc == 0)
		rc = confirm(r, ei);
	if (rc != 0)
		return rc;
	if (r->set.dry_run) {
		tell_plan(r);
		return 0;
	}
	r->begun = true;
	rc = stop_pod(r, ei);
	if (rc == 0)
		rc = delete_log(r, ei);
	if (rc == 0)
		rc = start_pod(r, ei);
	return rc;
}

int
main(int argc, char **argv)
{
	static struct reset r;
	static char prefix[REPO_NAME_MAX + 2];
	enum conf_next next = CONF_RUN;
	struct err_info ei = { .text = "" };
	int rc = reset_settings_read(&r.set, argc, argv, &next, &ei);

	if (rc == 0 && next == CONF_EXIT)
		return EXIT_DONE;
	if (rc != 0) {
		say("%s", ei.text);
		return EXIT_USAGE;
	}
	if (r.set.log != NULL)
		snprintf(prefix, sizeof(prefix), "%s/", r.set.repo);
	rc = stop_init(&r.stop, &ei);
	r.log =
	    (struct free_log){ .prefix = prefix, .cancel = &r.stop.cancel, .on_wait = on_wait };
	if (rc == 0)
		rc = run(&r, &ei);
	(void)fflush(stdout);
	if (rc != 0) {
		say("%s", ei.text[0] != '\0' ? ei.text : err_name(rc));
		if (r.begun)
			tell_undone(&r);
	}
	free_log_clear(&r.log);
	store_close(r.store);
	scale_close(r.cluster);
	return rc == 0 ? EXIT_DONE : EXIT_UNDONE;
}
