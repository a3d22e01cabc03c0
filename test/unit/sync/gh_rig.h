/* gh_rig.h - a GitHub client over a scripted HTTP client that remembers what it was asked. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "sync/github/gh_client.h"

#define BASE "https://hub.test/api"
#define OK(text)                                                                               \
	{                                                                                      \
		.status = 200, .headers = "date: Sun, 06 Nov 1994 08:49:37 GMT\n",             \
		.body = text                                                                   \
	}
#define STATUS(code)                                                                           \
	{                                                                                      \
		.status = (code), .body = "{\"message\":\"why not\"}"                          \
	}
#define FAILS(code)                                                                            \
	{                                                                                      \
		.rc = (code)                                                                   \
	}

/* An HTTP client in front of the scripted one. */
struct recorder {
	struct http base;
	struct http *script;
	struct buf asked; /* "[POST BODY ]URL|name: value|...\n" */
};

struct gh_rig {
	struct recorder recorder;
	struct gh *gh;
	struct buf waits; /* "why ms\n" and "retry n\n" */
	struct buf told;  /* of credentials, a line each */
	int pipe[2];      /* readable when waits are to be given up */
	struct gh_page page;
};

static inline int
record(struct http *h, const struct http_request *req, struct http_response *res,
    struct err_info *ei)
{
	struct recorder *r = (struct recorder *)h;

	if (req->body.ptr != NULL) {
		buf_str(&r->asked, "POST ");
		buf_slice(&r->asked, req->body);
		buf_char(&r->asked, ' ');
	}
	buf_str(&r->asked, req->url);
	for (const struct http_header *f = req->headers; f->name != NULL; f++)
		buf_fmt(&r->asked, "|%s: %s", f->name, f->value);
	buf_char(&r->asked, '\n');
	return http_perform(r->script, req, res, ei);
}

static inline void
forget(struct http *h)
{
	struct recorder *r = (struct recorder *)h;

	http_free(r->script);
	buf_clear(&r->asked);
}

static inline bool
give_up(void *ctx)
{
	(void)ctx;
	return true;
}

static inline void
on_wait(void *ctx, int64_t ms, const char *why)
{
	struct gh_rig *fx = ctx;

	buf_fmt(&fx->waits, "%s %lld\n", why, (long long)ms);
}

static inline void
on_retry(void *ctx, unsigned nth, const char *error)
{
	struct gh_rig *fx = ctx;

	assert_true(error[0] != '\0');
	buf_fmt(&fx->waits, "fault %u\n", nth);
}

static inline void
on_credentials(void *ctx, bool trouble, const char *what)
{
	struct gh_rig *fx = ctx;

	assert_int_equal(trouble, strstr(what, "was read again") == NULL);
	buf_fmt(&fx->told, "%s\n", what);
}

/* With `impatient`, the first wait is given up. */
static inline int
start_with(struct gh_rig *fx, const struct http_scripted *answers, size_t count, bool impatient,
    struct gh_opts o, struct err_info *ei)
{
	static const struct http_ops ops = { record, forget };

	o.base_url = BASE;
	o.http = &fx->recorder.base;
	o.on_wait = on_wait;
	o.on_retry = on_retry;
	o.on_credentials = on_credentials;
	o.ctx = fx;
	o.backoff_ms = 1;
	o.secondary_ms = 5;
	memset(fx, 0, sizeof(*fx));
	fx->recorder.base.ops = &ops;
	buf_init(&fx->recorder.asked, (size_t)1 << 20);
	buf_init(&fx->waits, (size_t)1 << 20);
	buf_init(&fx->told, (size_t)1 << 20);
	assert_int_equal(http_script_new(answers, count, &fx->recorder.script), 0);
	assert_int_equal(pipe(fx->pipe), 0);
	if (impatient)
		assert_int_equal(write(fx->pipe[1], "x", 1), 1);
	o.cancel = (struct cancel){ .fd = fx->pipe[0], .check = give_up };
	return gh_new(&o, &fx->gh, ei);
}

static inline void
start(struct gh_rig *fx, const struct http_scripted *answers, size_t count, bool impatient)
{
	const struct gh_opts o = { .token = "secret" };

	assert_int_equal(start_with(fx, answers, count, impatient, o, NULL), 0);
}

static inline void
stop(struct gh_rig *fx)
{
	gh_page_clear(&fx->page);
	gh_free(fx->gh);
	http_free(&fx->recorder.base);
	buf_clear(&fx->waits);
	buf_clear(&fx->told);
	close(fx->pipe[0]);
	close(fx->pipe[1]);
}

static inline size_t
count_of(struct buf *b, const char *text)
{
	const char *at = buf_cstr(b);
	size_t n = 0;

	while ((at = strstr(at, text)) != NULL) {
		at++;
		n++;
	}
	return n;
}

#define START(fx, answers, impatient)                                                          \
	start((fx), (answers), sizeof(answers) / sizeof((answers)[0]), (impatient))
