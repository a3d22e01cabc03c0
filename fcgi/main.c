/*
 * maintnerd-fcgi - answers the v1 API of one repository from its snapshot, over
 * FastCGI (its own socket, or one that a web server hands over) or plain CGI.
 * Here: settings and signals only.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/log.h"
#include "fcgi/responder.h"

struct settings {
	const char *snapshot, *listen, *log_level, *log, *log_exact, *ca_file;
	int64_t threads, cache_mb;
};

static int
read_settings(
    struct settings *s, int argc, char **argv, enum conf_next *next, struct err_info *ei)
{
	const struct conf_option options[] = {
		{ .name = "snapshot",
		    .target = &s->snapshot,
		    .required = true,
		    .value = "DIR",
		    .help = "directory of the LMDB snapshot" },
		{ .name = "log",
		    .target = &s->log,
		    .value = "URL",
		    .help = "root of the logs, read only, for the log routes" },
		{ .name = "log-exact",
		    .target = &s->log_exact,
		    .value = "URL",
		    .help = "the repository's own log folder, instead of --log" },
		{ .name = "ca-file",
		    .target = &s->ca_file,
		    .value = "FILE",
		    .help = "PEM certificates to trust instead of the system's" },
		{ .name = "listen",
		    .target = &s->listen,
		    .value = "ADDR",
		    .help = "unix:/path or host:port; without it, the socket on descriptor 0, "
			    "or CGI" },
		{ .name = "threads",
		    .type = CONF_NUMBER,
		    .target = &s->threads,
		    .low = 1,
		    .high = RESPONDER_THREADS_MAX,
		    .value = "N",
		    .help = "threads that answer [1]" },
		{ .name = "cache-mb",
		    .type = CONF_NUMBER,
		    .target = &s->cache_mb,
		    .low = 0,
		    .high = 4096,
		    .value = "N",
		    .help = "megabytes for answers to be given again while nothing was "
			    "written, shared among the threads [4]" },
		{ .name = "log-level",
		    .target = &s->log_level,
		    .value = "LEVEL",
		    .help = "debug, info, warning or error [info]" },
		{ .name = NULL },
	};
	const struct conf_program program = { "maintnerd-fcgi",
		"Answers the issues API of one mirrored repository over FastCGI or CGI.", NULL,
		options };
	int operand;

	return conf_read(&program, argc, argv, next, &operand, ei);
}

struct program {
	struct responder responder;
	int signal_fd;
	unsigned signal_count;
};

static void
on_request(void *ctx, unsigned thread, struct request *req)
{
	struct program *p = ctx;

	responder_handle(&p->responder, thread, req);
}

static enum request_next
on_signal(void *ctx)
{
	struct program *p = ctx;

	return request_signal_next(p->signal_fd, &p->signal_count, NULL);
}

static int
serve(const struct settings *set, struct program *p, struct err_info *ei)
{
	struct request_serve_opts o = { .threads = (unsigned)set->threads, .drain_ms = 4000 };
	struct addr addr;
	int rc;

	p->signal_fd = request_signal_fd();
	if (p->signal_fd < 0)
		return err_set(ei, ERR_IO, "signals cannot be watched");
	o.watch_fd = p->signal_fd;
	o.on_watch = on_signal;
	if (set->listen == NULL)
		return request_serve_fd0(&o, on_request, p, ei);
	rc = addr_parse(set->listen, &addr, ei);
	if (rc != 0)
		return rc;
	log_info(
	    "serving", LOG_S("listen", set->listen), LOG_I("threads", set->threads), LOG_END);
	return request_serve_listen(&addr, &o, on_request, p, ei);
}

int
main(int argc, char **argv)
{
	struct settings set = { .log_level = "info", .threads = 1, .cache_mb = 4 };
	enum log_severity level = LOG_SEV_INFO;
	enum conf_next next = CONF_RUN;
	struct err_info ei = { 0 };
	static struct program p;
	int rc = read_settings(&set, argc, argv, &next, &ei);

	if (rc == 0 && next == CONF_EXIT)
		return 0;
	if (rc == 0 && !log_severity_parse(set.log_level, &level))
		rc = err_set(&ei, ERR_INVAL, "--log-level: \"%s\" is no level", set.log_level);
	if (rc != 0) {
		fprintf(stderr, "maintnerd-fcgi: %s\n", ei.text);
		return 2;
	}
	log_setup("maintnerd-fcgi", NULL, level);
	responder_init(&p.responder, set.snapshot);
	p.responder.log_url = set.log_exact != NULL ? set.log_exact : set.log;
	p.responder.ca_file = set.ca_file;
	p.responder.cache_bytes = ((size_t)set.cache_mb << 20) / (size_t)set.threads;
	p.responder.log_exact = set.log_exact != NULL;
	rc = serve(&set, &p, &ei);
	responder_clear(&p.responder);
	if (rc != 0 && rc != ERR_TIMEOUT)
		log_error("serving ended",
		    LOG_S("error", ei.text[0] != '\0' ? ei.text : err_name(rc)), LOG_END);
	return rc == 0 || rc == ERR_TIMEOUT ? 0 : 1;
}
