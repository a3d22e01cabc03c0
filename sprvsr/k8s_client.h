/*
 * k8s_client.h - requests to the Kubernetes API: credentials, pace, tries, counts.
 *
 * A client belongs to one thread.  What they have in common (k8s_shared) may be used by
 * all: it holds the configuration, one rate limit and the counts.
 *
 * A token's file is read again every minute and after a 401.  When the server answers 401,
 * does not prove who it is, or may not like our certificate, the whole configuration is read
 * from where it came from once more, and the request is repeated if anything is different:
 * authorities, certificates and kubeconfig files may be replaced while this runs.
 */
#pragma once

#include <pthread.h>

#include "base/http.h"
#include "base/json.h"
#include "sprvsr/k8s_config.h"

#define K8S_ANSWER_MAX ((size_t)64 << 20) /* a page of 500 large objects */
#define K8S_COUNTS_MAX 96

struct k8s_count {
	char verb[12];
	int code; /* HTTP status, 0: no answer */
	uint64_t count;
};

struct k8s_shared {
	const struct k8s_config *config;
	double per_s, burst; /* of requests */
	pthread_mutex_t lock;
	double tokens; /* below 0: already promised */
	int64_t filled_ms;
	struct k8s_count counts[K8S_COUNTS_MAX];
	size_t count_count;
};

/* `config` is borrowed. */
void k8s_shared_init(
    struct k8s_shared *s, const struct k8s_config *config, double per_s, double burst);
void k8s_shared_clear(struct k8s_shared *s);

struct k8s_client;

/* `cancel` is copied; `http` is taken, NULL: one over curl.  ERR_NOMEM and others. */
int k8s_client_new(struct k8s_shared *s, const struct cancel *cancel, struct http *http,
    struct k8s_client **ret, struct err_info *ei);
void k8s_client_free(struct k8s_client *c); /* NULL is fine */

struct k8s_call {
	const char *verb; /* Kubernetes' word for it, for the counts: "list", "patch" */
	const char *method;
	const char *path; /* and query, from the server's root */
	const char *content_type;
	struct slice body;
	int64_t total_ms, stall_ms;                    /* 0: 30 s, 15 s */
	unsigned tries;                                /* 0: 4 */
	int (*on_body)(void *ctx, struct slice piece); /* see base/http.h */
	void *body_ctx;
	bool urgent; /* does not wait for its turn under the rate limit */
	/* Asked before each try: how long it may take, 0: it may not be sent.  NULL: total_ms. */
	int64_t (*time_left_ms)(void *ctx);
	void *left_ctx;
};

/*
 * Ask, and ask again what may pass (429, 5xx, cut, timed out; 401 once with the token read
 * anew).  ERR_CANCELED when no time is left, also between two tries.  An answer that is not
 * 2xx is an error as http_status_err() has it, with the message of its Status; when its server
 * asks to wait and no try is left, `ei` says how long.  The answer is borrowed from `c` until
 * the next call.
 */
int k8s_ask(struct k8s_client *c, const struct k8s_call *call, const struct http_response **ret,
    struct err_info *ei);
/* The same with a JSON answer; the caller json_decref()s *ret. */
int k8s_ask_json(
    struct k8s_client *c, const struct k8s_call *call, json_t **ret, struct err_info *ei);
/* Wait, or ERR_CANCELED. */
int k8s_wait(struct k8s_client *c, int64_t ms);
/* A number from 0 to below 1 for jitter. */
double k8s_random(void);
