/* act.h - doing what was planned, by threads that have a client each. */
#pragma once

#include "sprvsr/k8s_client.h"
#include "sprvsr/reconcile.h"

struct job {
	struct action action; /* its entry is not looked at; created: its uid is filled in */
	bool is_event;        /* body is a Kubernetes Event; there is no action */
	char repo[REPO_NAME_MAX + 1]; /* where the action's points to */
	char *body;                   /* owned; NULL to delete */
	char version[32];             /* resourceVersion afterwards */
	int rc;
	struct err_info ei;
	struct job *next;
};

void job_free(struct job *j); /* NULL is fine */

struct act_opts {
	struct k8s_shared *api;
	const char *namespace_name, *manager;
	unsigned threads;
	const struct cancel *cancel; /* copied */
	/* Asked before each request that changes something: how long it may take, 0: it may not
	   be sent.  Any thread. */
	int64_t (*time_left_ms)(void *ctx);
	void (*on_done)(void *ctx); /* some jobs are done; any thread */
	void *ctx;
};

struct actors;

int actors_start(const struct act_opts *o, struct actors **ret, struct err_info *ei);
/* `j` is theirs until actors_done() gives it back. */
void actors_add(struct actors *a, struct job *j);
struct job *actors_done(struct actors *a); /* a list of what has ended, or NULL */
/* Let what runs end (cancel cuts it short), drop what waits. */
void actors_stop(struct actors *a);
