/*
 * router.h - the router's state and its parts: what the files of this folder share.
 *
 *   main.c       settings, signals          loader.c   reading the list (main thread)
 *   router.c     the loop, which route      call.c     a request's id, answer and log line
 *   relay.c      a request to its backend   fanout.c   an owner's repositories
 *   webhook.c    GitHub's webhooks          poke.c     requests of our own, in the background
 *   metrics.c    counters
 *
 * Everything but loader.c and main.c runs on the loop's thread.
 */
#pragma once

#include "base/fcgi/budget.h"
#include "base/fcgi/server.h"
#include "base/fcgi/timer.h"
#include "router/deliveries.h"
#include "router/path.h"
#include "router/table.h"

#define REQUEST_ID_MAX 128
#define LOG_LINES_MAX ((size_t)64 << 10)
#define LOG_LINES_MS                                                                           \
	50 /* lines of requests are written together: a system call for each costs */
#define ROUTER_OUT_BYTES                                                                       \
	((size_t)8 << 10) /* queued for a client before its backend is paused */
#define ANSWER_BYTES_MAX ((size_t)4 << 20) /* of what the router says itself */

/* How a request ended: the metric's label, and "outcome" in the log. */
enum outcome {
	OUTCOME_ANSWERED,     /* the backend's answer was passed on */
	OUTCOME_OWN,          /* answered here, without fault */
	OUTCOME_NOT_TRACKED,  /* 404 */
	OUTCOME_BAD_REQUEST,  /* 4xx that is not a 404 */
	OUTCOME_REFUSED,      /* 503: no connection */
	OUTCOME_UNRESOLVED,   /* 503: no such name or socket */
	OUTCOME_OVERLOADED,   /* 503: too many wait for this backend, or it says so */
	OUTCOME_BREAKER_OPEN, /* 503 */
	OUTCOME_TIMEOUT,      /* 504 */
	OUTCOME_CLOSED,       /* 502: the backend hung up before it answered */
	OUTCOME_GARBAGE,      /* 502: what it said is no answer */
	OUTCOME_BROKEN,       /* the answer had begun and did not end */
	OUTCOME_CLIENT_GONE,
	OUTCOME_ERROR, /* 500 */
	OUTCOMES,
};

struct router_opts {
	struct addr listen;
	const char *backend, *internal;  /* templates */
	const char *internal_secret;     /* NULL: none is sent */
	const char *webhook_secret_file; /* NULL: webhooks are refused */
	const struct addr *sprvsr;       /* NULL: there is none to poke */
	unsigned connect_ms, first_ms, idle_ms, keep_ms, names_ms;
	unsigned backend_conns, waiting, all_conns, client_conns;
	struct breaker_opts breaker;
	unsigned fanout_ms, fanout_at_once, counts_ms;
	bool repository_metrics;
	void (*on_update)(void *ctx); /* read the list again; may be asked often */
	void *ctx;
};

struct metrics {
	uint64_t outcomes[OUTCOMES];
	uint64_t buckets[12]; /* metrics.c */
	uint64_t duration_ms;
	uint64_t breaker_opened, retries, list_reads, list_failures;
	uint64_t webhooks[8]; /* by enum webhook_result of webhook.c */
	uint64_t pokes, poke_failures, pokes_dropped;
};

struct call;
struct poke;
struct webhooks;

struct router {
	struct router_opts opts;
	struct fcgi_listener listener;
	bool listening;
	struct fcgi_server *server;
	struct fcgi_budget *budget;
	struct backend_opts backend_opts;
	struct table table;
	struct metrics metrics;
	struct webhooks *webhooks;
	struct call *free_calls;
	unsigned free_call_count;
	unsigned stalled; /* relays whose client does not read */
	unsigned pokes_running;
	struct poke *pokes;
	struct buf log_lines; /* of requests, until the timer writes them */
	struct fcgi_timer *log_timer;
	struct fcgi_timer *sprvsr_timer;
	int64_t sprvsr_at_ms; /* when the supervisor was last poked, 0: never */
	bool sprvsr_due;
	char list_error[256]; /* why the last reading changed nothing; empty if it did */
	struct buf scratch;   /* one head, or a request's body of ours */
	uint64_t id_seed[2], id_count;
};

/* ERR_IO, ERR_NOMEM ...; the socket accepts from here on.  `opts` is copied, its texts are borrowed. */
int router_new(const struct router_opts *opts, struct router **ret, struct err_info *ei);
/* Serve until router_stop(), then drain; as fcgi_server_run(). */
int router_run(struct router *rt);
void router_stop(struct router *rt); /* any thread */
void router_kill(struct router *rt); /* any thread */
void router_free(struct router *rt);

/* What a reading of the list gave, handed to the loop from any thread; `list` is taken over. */
int router_post_list(struct router *rt, struct repo_list *list);
int router_post_list_error(struct router *rt, const char *text);

/* metrics.c */
void metrics_count(struct metrics *m, enum outcome o, int64_t took_ms);
const char *outcome_name(enum outcome o);
void metrics_write(struct router *rt, struct buf *out);
