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
	char path[256];
	pthread_t thread;
	bool started;
};

struct supervisor {
	struct supervisor_opts o;
	struct status status;
	struct observed seen;
	struct trails trails;
	struct desired want;
	bool has_list;
	struct watching watches[KINDS];
	struct actors *actors;
	size_t in_flight;
	int wake_fd, stop_fd, kill_fd; /* stop and kill stay readable */
	atomic_bool stopping, killed, dirty, update;
	atomic_llong leader_until_ms; /* INT64_MAX without a lease */
	atomic_size_t prune_allowed;
	struct k8s_client *lease_client;
	struct lease lease;
	pthread_t lease_thread, loop_thread;
	bool lease_started, loop_started, was_leader;
	bool told_refused;
	size_t told_conflicts;
	int64_t list_at_ms, pass_at_ms, full_at_ms, wake_at_ms;
	struct event_pace events;
};

/* Does this replica lead now?  Any thread. */
bool supervisor_leads(void *supervisor);
/* Something changed: the loop looks.  Any thread. */
void supervisor_news(void *supervisor);
bool supervisor_is_stopping(void *supervisor);

/* A watch's thread; `arg` is its struct watching. */
void *supervisor_run_watch(void *arg);

/* On the loop's thread: read the list, take what is news; take results; plan and give out. */
void supervisor_read_list(struct supervisor *s);
void supervisor_collect(struct supervisor *s);
void supervisor_pass(struct supervisor *s);
