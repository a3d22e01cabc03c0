/*
 * backend.h - one repository's responder as the router sees it: an address, kept
 * connections to it, and whether it is worth asking.
 *
 * A backend stays as long as the list names its repository, and then until its last
 * request has ended.  All functions belong to the loop's thread.
 */
#pragma once

#include "base/fcgi/client.h"
#include "base/repo_list.h"
#include "router/breaker.h"

struct uv_loop_s;
struct fcgi_budget;

/* What all backends have in common; outlives them. */
struct backend_opts {
	struct uv_loop_s *loop;
	struct fcgi_client_opts client;
	struct breaker_opts breaker;
	const char *address; /* template */
};

/* A short text of the backend that fan-outs keep for a while. */
struct backend_counts {
	char *json; /* an object of "repositories", or NULL */
	int64_t at_ms;
};

struct backend {
	const struct backend_opts *opts;
	char *name;       /* "owner/name" as the list spells it */
	size_t owner_len; /* of `name` */
	char sha[SHA224_HEX_LEN + 1];
	char *address; /* for logs */
	struct fcgi_client *client;
	struct breaker breaker;
	unsigned holders; /* the table, and every request */
	struct backend_counts counts;
	bool poking, poke_again; /* see poke.h */
	uint64_t answered, failed;
};

/* ERR_NOMEM; ERR_INVAL if the template makes no address of it.  The caller holds it. */
int backend_new(const struct backend_opts *opts, const struct repo_entry *e,
    struct backend **ret, struct err_info *ei);
void backend_hold(struct backend *b);
void backend_release(struct backend *b); /* NULL is fine */

/*
 * Ask it.  ERR_BUSY while the breaker is open, ERR_FULL when too many wait for it already,
 * else as fcgi_exchange_start().  Every request that was started must be reported below,
 * unless its client gave up.
 */
int backend_ask(struct backend *b, const struct fcgi_exchange_spec *spec,
    const struct fcgi_exchange_events *events, void *ctx, struct fcgi_exchange **ret);
/* It answered, whatever it said. */
void backend_answered(struct backend *b);
/* It did not: an error of the exchange, or ERR_PROTO.  True if that opened the breaker. */
bool backend_failed(struct backend *b, int code);
/* Drop what is known of where it is, and its connections (for shutting down). */
void backend_close(struct backend *b);
