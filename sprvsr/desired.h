/*
 * desired.h - what the cluster should hold: a repository list and the program's flags
 * become one Deployment and one Service for each repository.  Pure.
 */
#pragma once

#include "base/repo_list.h"
#include "sprvsr/names.h"

enum kind {
	KIND_DEPLOYMENT,
	KIND_SERVICE,
	KINDS
};

#define OBJECT_NAME_MAX 64  /* "mtr-d-" and 56 digits, with a NUL */
#define OBJECT_PREFIX_LEN 6 /* of "mtr-d-", "mtr-s-" */
#define OBJECT_BYTES_MAX ((size_t)64 << 10)
#define GITHUB_KEYS_MAX 64

#define SYNC_MEMORY_REQUEST "64Mi" /* of the containers; Kubernetes refuses a limit below it */
#define FCGI_MEMORY_REQUEST "32Mi"

#define LABEL_OURS "maintner-sprvsr-autogen"
#define NOTE_REPO_OWNER "maintner/owner" /* these are the names that programs trust */
#define NOTE_REPO_NAME "maintner/repository"
#define NOTE_OWNER "maintner/supervisor"  /* whose it is: the field manager's name */
#define NOTE_HASH "maintner/desired-hash" /* of the object as it was wanted last */
#define NOTE_READY "maintner/was-ready"   /* was it ready before its last change? */

/* Texts are borrowed; NULL where there is none. */
struct desired_opts {
	const char *manager, *namespace_name, *image, *pull_policy;
	const char *log, *github_url, *pod_host;
	const char *github_secret, *service_account_secret, *reader_secret, *internal_secret;
	const char *front_image, *front_config, *pod_account, *pull_secret;
	const char *snapshot_size, *disk_request, *sync_memory, *fcgi_memory;
	const char *keys[GITHUB_KEYS_MAX]; /* of github_secret */
	size_t key_count;
	int64_t interval_s; /* of rounds; 0: the program's own */
};

struct desired_item {
	const struct repo_entry *entry;
	char names[KINDS][OBJECT_NAME_MAX];
	char hashes[KINDS][SHA224_HEX_LEN + 1];
};

struct desired {
	const struct desired_opts *opts;
	struct repo_list list;
	struct desired_item *items;
	struct names by_sha; /* -> struct desired_item */
};

/* Takes `list` over, also on failure.  `opts` is borrowed.  ERR_NOMEM, ERR_LIMIT. */
int desired_build(const struct desired_opts *opts, struct repo_list *list, struct desired *ret);
void desired_clear(struct desired *d);

/*
 * Append the object as JSON, as it is applied.  `hash` gets what stands in its annotation,
 * which does not depend on `was_ready`.  ERR_NOMEM, ERR_LIMIT.
 */
int desired_render(const struct desired_opts *o, const struct repo_entry *e, enum kind kind,
    bool was_ready, struct buf *out, char hash[SHA224_HEX_LEN + 1]);

/* The path of all objects of a kind in a namespace, which has at most 63 letters. */
#define COLLECTION_MAX 128
void desired_collection(enum kind kind, const char *namespace_name, char out[COLLECTION_MAX]);

/* "mtr-d-<sha>" or "mtr-s-<sha>". */
void desired_name(enum kind kind, const char *sha, char out[OBJECT_NAME_MAX]);

/* The key of a repository: the highest of its rendezvous with all keys.  NULL: no keys. */
const char *desired_key(const struct desired_opts *o, const struct repo_entry *e);

/* Make `text` a label's value: at most 63 of A-Za-z0-9-_. with letters or digits at both ends. */
#define LABEL_VALUE_MAX 64
void desired_label(struct slice text, char out[LABEL_VALUE_MAX]);
