/*
 * maint_probe.c - asks a FastCGI socket for its health and tells it by the exit
 * status: 0 for a 2xx answer, 1 for everything else, 2 for wrong usage.  Meant for
 * Kubernetes exec probes, so it starts nothing but one connection; and for an operator
 * inside a pod, where nothing else speaks FastCGI.
 */
#include <stdio.h>

#include "base/conf.h"
#include "base/fcgi/client.h"
#include "base/mem.h"

#define ANSWER_BYTES_MAX ((size_t)16 << 20)
#define TOLD_BYTES_MAX ((size_t)400)

enum {
	EXIT_HEALTHY = 0,
	EXIT_UNHEALTHY = 1,
	EXIT_USAGE = 2,
};

struct settings {
	const char *path, *method, *secret_file;
	int64_t timeout_sec;
	bool verbose;
};

static int
read_settings(int argc, char **argv, struct settings *set, const char **ret_addr,
    enum conf_next *ret_next, struct err_info *ei)
{
	const struct conf_option options[] = {
		{ .name = "path",
		    .type = CONF_TEXT,
		    .target = &set->path,
		    .value = "PATH",
		    .help = "what to ask for (default /_healthz)" },
		{ .name = "method",
		    .type = CONF_TEXT,
		    .target = &set->method,
		    .value = "NAME",
		    .help = "HTTP method (default GET)" },
		{ .name = "secret-file",
		    .type = CONF_TEXT,
		    .target = &set->secret_file,
		    .value = "FILE",
		    .help = "of the internal secret, for what needs it" },
		{ .name = "timeout",
		    .type = CONF_NUMBER,
		    .target = &set->timeout_sec,
		    .low = 1,
		    .high = 3600,
		    .value = "SEC",
		    .help = "for the whole question (default 5)" },
		{ .name = "verbose",
		    .type = CONF_SWITCH,
		    .target = &set->verbose,
		    .help = "print the answer's body" },
		{ .name = NULL },
	};
	const struct conf_program program = { .name = "maint-probe",
		.purpose = "Ask a FastCGI socket (unix:/path or host:port) for its health.",
		.operands = "ADDR",
		.options = options };
	int operand;
	int rc = conf_read(&program, argc, argv, ret_next, &operand, ei);

	if (rc != 0 || *ret_next == CONF_EXIT)
		return rc;
	if (operand != argc - 1)
		return err_set(ei, ERR_INVAL, "exactly one ADDR is needed (see --help)");
	*ret_addr = argv[operand];
	return 0;
}

static int
ask(const struct addr *a, const struct settings *set, struct buf *answer, struct cgi_head *head,
    struct err_info *ei)
{
	struct fcgi_pair params[FCGI_CALL_PARAMS + 1];
	size_t n = fcgi_call_params(set->method, set->path, NULL, params);
	char *secret = NULL;
	int rc = 0;

	if (set->secret_file != NULL)
		rc = conf_read_secret(set->secret_file, &secret, ei);
	if (secret != NULL)
		params[n++] =
		    (struct fcgi_pair){ SLICE("HTTP_X_MAINTNER_SECRET"), slice_str(secret) };
	if (rc == 0)
		rc = fcgi_call(a, params, n, SLICE(""), (unsigned)set->timeout_sec * 1000,
		    answer, head, ei);
	mem_free(secret);
	return rc;
}

/* One line, with the beginning of what was answered. */
static void
tell_refusal(const char *path, int status, struct slice body)
{
	size_t len = body.len < TOLD_BYTES_MAX ? body.len : TOLD_BYTES_MAX;

	while (len > 0 && body.ptr[len - 1] == '\n')
		len--;
	fprintf(stderr, "maint-probe: %s: status %d%s%.*s\n", path, status, len > 0 ? ": " : "",
	    (int)len, body.ptr);
}

static int
probe(const struct addr *a, const struct settings *set)
{
	struct err_info ei = { .text = "" };
	struct cgi_head head;
	struct buf answer;
	int code = EXIT_UNHEALTHY;

	buf_init(&answer, ANSWER_BYTES_MAX);
	if (ask(a, set, &answer, &head, &ei) != 0) {
		fprintf(stderr, "maint-probe: %s\n", ei.text);
	} else {
		if (set->verbose)
			(void)fwrite(
			    answer.ptr + head.bytes, 1, answer.len - head.bytes, stdout);
		if (head.status >= 200 && head.status <= 299)
			code = EXIT_HEALTHY;
		else
			tell_refusal(set->path, head.status,
			    (struct slice){ answer.ptr + head.bytes, answer.len - head.bytes });
	}
	buf_clear(&answer);
	return code;
}

int
main(int argc, char **argv)
{
	struct settings set = { .path = "/_healthz", .method = "GET", .timeout_sec = 5 };
	struct err_info ei = { .text = "" };
	enum conf_next next = CONF_RUN;
	const char *text = NULL;
	struct addr a;

	if (read_settings(argc, argv, &set, &text, &next, &ei) != 0 ||
	    (next == CONF_RUN && addr_parse(text, &a, &ei) != 0)) {
		fprintf(stderr, "maint-probe: %s\n", ei.text);
		return EXIT_USAGE;
	}
	if (next == CONF_EXIT)
		return EXIT_HEALTHY;
	return probe(&a, &set);
}
