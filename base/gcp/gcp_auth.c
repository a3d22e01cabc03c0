/* gcp_auth.c - where credentials come from, and the token that is kept. */
#include "base/gcp/gcp_auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/gcp/gcp_auth_impl.h"
#include "base/mem.h"

#define REFRESH_BEFORE_MS INT64_C(300000)
#define METADATA_HOST "metadata.google.internal"

static int
load_credentials(struct gcp_auth *a, const char *path, struct err_info *ei)
{
	char *text;
	int rc = conf_read_secret(path, &text, ei);

	if (rc != 0)
		return err_wrap(ei, rc, "GOOGLE_APPLICATION_CREDENTIALS");
	rc = json_in_parse(slice_str(text), "credentials file", &a->credentials, ei);
	explicit_bzero(text, strlen(text));
	mem_free(text);
	if (rc == 0)
		rc = gcp_source_check(a->credentials, path, ei);
	return rc == ERR_PROTO ? ERR_INVAL : rc;
}

static int
find_source(struct gcp_auth *a, struct err_info *ei)
{
	const char *path = a->o.credentials_file, *host = a->o.metadata_host;

	if (path == NULL)
		path = getenv("GOOGLE_APPLICATION_CREDENTIALS");
	if (path != NULL && path[0] != '\0')
		return load_credentials(a, path, ei);
	if (host == NULL)
		host = getenv("GCE_METADATA_HOST");
	a->metadata_host = mem_strdup(host != NULL && host[0] != '\0' ? host : METADATA_HOST);
	return a->metadata_host != NULL ? 0 : ERR_NOMEM;
}

int
gcp_auth_new(const struct gcp_auth_opts *opts, struct gcp_auth **ret, struct err_info *ei)
{
	struct gcp_auth *a = mem_zalloc(sizeof(*a));
	int rc;

	if (a == NULL)
		return ERR_NOMEM;
	a->o = *opts;
	if (a->o.now_ms == NULL)
		a->o.now_ms = clock_real_ms;
	rc = find_source(a, ei);
	if (rc != 0) {
		gcp_auth_free(a);
		return rc;
	}
	*ret = a;
	return 0;
}

void
gcp_auth_forget(struct gcp_auth *a)
{
	if (a->token.header != NULL)
		explicit_bzero(a->token.header, strlen(a->token.header));
	mem_free(a->token.header);
	a->token = (struct gcp_token){ 0 };
}

void
gcp_auth_free(struct gcp_auth *a)
{
	if (a == NULL)
		return;
	gcp_auth_forget(a);
	json_decref(a->credentials);
	mem_free(a->metadata_host);
	mem_free(a);
}

int
gcp_auth_header(struct gcp_auth *a, const char **ret, struct err_info *ei)
{
	struct gcp_token fresh = { 0 };
	int64_t left = a->token.expires_ms - a->o.now_ms();
	int rc;

	if (a->token.header == NULL || left < REFRESH_BEFORE_MS) {
		rc = gcp_source_mint(a, &fresh, ei);
		/* A token that still lives is better than none while the server is away. */
		if (rc != 0 && (a->token.header == NULL || left <= 0))
			return err_wrap(ei, rc, "access token");
		if (rc == 0) {
			gcp_auth_forget(a);
			a->token = fresh;
		}
	}
	*ret = a->token.header;
	return 0;
}
