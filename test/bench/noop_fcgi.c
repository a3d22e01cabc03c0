/*
 * noop_fcgi - what FastCGI costs at the least: base/fcgi's server with a handler that
 * answers a fixed head and a fixed body out of memory.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/fcgi/server.h"
#include "base/mem.h"

struct answer {
	char head[256];
	size_t head_len;
	struct slice body;
};

static struct fcgi_server *server; /* for the signal handler */

static void
on_term(int number)
{
	(void)number;
	fcgi_server_stop(server);
}

static void
on_request(void *ctx, struct fcgi_request *req)
{
	const struct answer *a = ctx;

	fcgi_request_reply(req, (struct slice){ a->head, a->head_len }, a->body);
}

/* The head is the responder's, field by field. */
static int
make_answer(struct answer *a, size_t bytes)
{
	char *body = mem_alloc(bytes + 1);
	int n = snprintf(a->head, sizeof(a->head),
	    "Status: 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
	    "Cache-Control: no-cache\r\n\r\n",
	    bytes);

	if (body == NULL)
		return ERR_NOMEM;
	memset(body, 'x', bytes);
	a->head_len = (size_t)n;
	a->body = (struct slice){ body, bytes };
	return 0;
}

static int
serve(const char *listen, struct answer *a, struct err_info *ei)
{
	struct fcgi_listener listener;
	struct addr addr;
	int rc = addr_parse(listen, &addr, ei);

	if (rc == 0)
		rc = fcgi_listener_open(&listener, &addr, 0666, 0, ei);
	if (rc != 0)
		return rc;
	rc = fcgi_server_new(NULL, on_request, a, &server);
	if (rc == 0)
		rc = fcgi_server_listen(server, &listener);
	signal(SIGTERM, on_term);
	if (rc == 0)
		rc = fcgi_server_run(server);
	fcgi_server_free(server);
	fcgi_listener_close(&listener);
	return rc;
}

int
main(int argc, char **argv)
{
	const char *listen = NULL;
	int64_t bytes = 4096;
	const struct conf_option options[] = {
		{ .name = "listen",
		    .target = &listen,
		    .required = true,
		    .value = "ADDR",
		    .help = "unix:/path or host:port" },
		{ .name = "bytes",
		    .type = CONF_NUMBER,
		    .target = &bytes,
		    .low = 0,
		    .high = 64 << 20,
		    .value = "N",
		    .help = "length of the body [4096]" },
		{ .name = NULL },
	};
	const struct conf_program program = { "noop_fcgi", "Answers every request alike.", NULL,
		options };
	enum conf_next next = CONF_RUN;
	struct err_info ei = { 0 };
	struct answer a = { .head_len = 0 };
	int operand, rc = conf_read(&program, argc, argv, &next, &operand, &ei);

	if (rc == 0 && next == CONF_EXIT)
		return 0;
	if (rc == 0)
		rc = make_answer(&a, (size_t)bytes);
	if (rc == 0)
		rc = serve(listen, &a, &ei);
	mem_free((void *)(uintptr_t)a.body.ptr);
	if (rc != 0)
		fprintf(stderr, "noop_fcgi: %s\n", ei.text[0] != '\0' ? ei.text : err_name(rc));
	return rc == 0 ? 0 : 1;
}
