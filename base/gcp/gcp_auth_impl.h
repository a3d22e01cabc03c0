/* gcp_auth_impl.h - shared by gcp_auth.c and gcp_source.c only. */
#pragma once

#include "base/gcp/gcp_auth.h"
#include "base/json.h"

#define GCP_ANSWER_MAX ((size_t)1 << 20)

struct gcp_token {
	char *header;       /* owned; "Bearer ..." */
	int64_t expires_ms; /* Unix time */
};

struct gcp_auth {
	struct gcp_auth_opts o;
	json_t *credentials; /* NULL: the metadata server */
	char *metadata_host; /* owned */
	struct gcp_token token;
};

/* Ask the source for a new token. */
int gcp_source_mint(struct gcp_auth *a, struct gcp_token *ret, struct err_info *ei);

/* Check the members that a credentials file of its type must have. */
int gcp_source_check(const json_t *credentials, const char *path, struct err_info *ei);
