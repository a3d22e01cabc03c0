/*
 * scale.h - the Deployment of a repository, found and scaled, for tools that need its pod
 * gone while they work on its log.
 */
#pragma once

#include "base/http.h"
#include "base/repo_list.h"

struct scale;

struct scale_opts {
	const char *kubeconfig;     /* NULL: the service account of the pod this runs in */
	const char *namespace_name; /* NULL: that of the configuration */
	const struct cancel *cancel;
	int64_t timeout_ms; /* of each wait below */
};

/* What k8s_config_file() or k8s_config_in_cluster() say. */
int scale_open(const struct scale_opts *o, struct scale **ret, struct err_info *ei);
void scale_close(struct scale *s); /* NULL is fine */
const char *scale_namespace(const struct scale *s);

#define SCALE_NONE (-1)
#define SCALE_URL_MAX 2048

struct scale_target {
	char name[128];
	int64_t replicas;    /* of its spec */
	int64_t scaled_from; /* annotation maintner/scaled-from, or SCALE_NONE */
	int64_t available;   /* replicas that are, as its controller last saw them */
	bool seen;           /* its controller saw the newest spec, and has no replica more */
	/* The folder of its log by its containers' arguments, no '/' at the end; "" unknown. */
	char log[SCALE_URL_MAX];
};

/*
 * Find the Deployment of "owner/name" by its labels, and exactly by its annotations
 * maintner/owner and maintner/repository, since labels are made legal.  ERR_NOENT (names
 * one that differs in case only), ERR_CONFLICT (there are several).
 */
int scale_find(
    struct scale *s, const char *repo, struct scale_target *ret, struct err_info *ei);

/*
 * Scale to 0 and wait until its pods are gone.  `keep` writes how many there were into the
 * annotation first (where it is not there yet), so that scale_restore() knows them in
 * another process, too.  ERR_TIMEOUT says what is still there.
 */
int scale_to_zero(struct scale *s, struct scale_target *t, bool keep, struct err_info *ei);
/* Back to what the annotation says, which goes; without one nothing is done. */
int scale_restore(struct scale *s, struct scale_target *t, struct err_info *ei);
int scale_to(struct scale *s, struct scale_target *t, int64_t replicas, struct err_info *ei);
/* Read it anew: after a request that failed nobody knows whether it was done. */
int scale_look(struct scale *s, struct scale_target *t, struct err_info *ei);
/* Wait until one replica is available.  ERR_TIMEOUT. */
int scale_wait_available(struct scale *s, struct scale_target *t, struct err_info *ei);
