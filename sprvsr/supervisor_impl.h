/* supervisor_impl.h - what the files of the supervisor share; nobody else includes it. */
#pragma once

#include <stdatomic.h>

#include "sprvsr/event.h"
#include "sprvsr/lease.h"
#include "sprvsr/supervisor.h"

struct watching {
	struct supervisor *s;
	enum kind kind;
	struct k8s_client *client;
	char path[COLLECTION_MAX];
	pthread_t thread;
	bool started;
};

/* What the list's thread has read last, for the loop. */
struct reading {
	bool there; /* the loop has not taken it */
	bool same;  /* the bytes of the reading before; no list then */
	int rc;
	struct err_info ei;
	struct repo_list list;
	int64_t begun_ms;
};

struct supervisor {
	struct supervisor_opts o;
	struct status status;
	struct observed seen;
	struct trails trails;
	/* The loop's: */
	struct desired want;
	bool has_list, believed; /* believed: the last list that was read is the wanted one */
	int64_t list_begun_ms;   /* when the last reading of it began */
	struct watching watches[KINDS];
	struct actors *actors;
	size_t in_flight;
	int wake_fd, read_fd, stop_fd, kill_fd; /* stop and kill stay readable */
	atomic_bool stopping, killed, dirty, unbelieved;
	atomic_llong leader_until_ms; /* INT64_MAX without a lease */
	atomic_llong led_since_ms;
	struct k8s_client *lease_client;
	struct lease lease;
	pthread_t lease_thread, loop_thread, reader_thread;
	bool lease_started, loop_started, reader_started;
	bool was_leader, was_acting; /* in the last comparison */
	bool told_refused;
	size_t told_conflicts;
	int64_t pass_at_ms, full_at_ms, wake_at_ms;
	pthread_mutex_t lock; /* of what follows; no other is taken under it */
	struct reading reading;
	char holder[160]; /* of the lease, as last seen */
	size_t prune_allowed;
	int64_t allowed_ms; /* when that was confirmed */
	struct event_pace events;
};

/* Does this replica lead now?  Any thread. */
bool supervisor_leads(void *supervisor);
/* How long a request that changes something may take, 0: this replica does not lead. */
int64_t supervisor_time_left_ms(void *supervisor);
/* Something changed: the loop looks; it compares.  Any thread. */
void supervisor_wake(struct supervisor *s);
void supervisor_news(void *supervisor);
bool supervisor_is_stopping(void *supervisor);

/* A watch's thread; `arg` is its struct watching. */
void *supervisor_run_watch(void *arg);

/* The list's thread; `arg` is the supervisor. */
void *supervisor_run_reader(void *arg);

/* On the loop's thread: take a list that was read; take results; plan and give out. */
void supervisor_take_list(struct supervisor *s);
void supervisor_collect(struct supervisor *s);
void supervisor_pass(struct supervisor *s);
