/*
 * gcp_auth.h - access tokens for Google Cloud, found in the usual order.
 *
 *   GOOGLE_APPLICATION_CREDENTIALS names a JSON file of type service_account,
 *   authorized_user or external_account; without it the metadata server is asked
 *   (GCE_METADATA_HOST, else metadata.google.internal).
 *   https://cloud.google.com/docs/authentication/application-default-credentials
 *   https://google.aip.dev/auth/4112, /4115, /4117
 *
 * A token is kept until shortly before it expires.  Keys and tokens are never in
 * a message.  One handle belongs to one thread.
 */
#pragma once

#include "base/http.h"

#define GCP_SCOPE_STORAGE "https://www.googleapis.com/auth/devstorage.read_write"
#define GCP_SCOPE_CLOUD "https://www.googleapis.com/auth/cloud-platform"

struct gcp_auth;

struct gcp_auth_opts {
	struct http *http;            /* borrowed */
	const char *scope;            /* borrowed */
	const char *credentials_file; /* NULL: from the environment */
	const char *metadata_host;    /* NULL: from the environment */
	/* Unix milliseconds; NULL = clock_real_ms.  For tests. */
	int64_t (*now_ms)(void);
};

/*
 * Find the credentials; asks no server yet.  ERR_NOENT when the file is not there,
 * ERR_INVAL when it is of no known type or lacks a member, with the member's name.
 */
int gcp_auth_new(const struct gcp_auth_opts *opts, struct gcp_auth **ret, struct err_info *ei);
void gcp_auth_free(struct gcp_auth *a); /* NULL is fine */

/*
 * The value for an Authorization header, "Bearer ...", borrowed until the next call.
 * Mints a token when there is none or it expires within five minutes.  ERR_AUTH when it is
 * refused; what http_perform() returns when the server cannot be reached.
 */
int gcp_auth_header(struct gcp_auth *a, const char **ret, struct err_info *ei);

/* Forget the token: a server said 401. */
void gcp_auth_forget(struct gcp_auth *a);
