/*
 * store_gcs.c - a bucket of Google Cloud Storage as a store: opening, listing,
 * deleting, buckets.  Reading, writing and copying are in gcs_*.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/store/gcs.h"

#define DEADLINE_MS INT64_C(300000)
#define BACKOFF_MS INT64_C(1000)
#define ORIGIN "https://storage.googleapis.com"
/* Another endpoint with the usual credentials, e.g. for Private Service Connect. */
#define ENDPOINT_VARIABLE "MAINTNER_STORAGE_ENDPOINT"
#define USER_AGENT "drghs-worker/" MAINTNER_VERSION

static void
gcs_close(struct store *s)
{
	struct gcs *g = (struct gcs *)s;

	gcp_auth_free(g->auth);
	http_free(g->http);
	http_response_clear(&g->res);
	mem_free(g->origin);
	mem_free(g->bucket);
	mem_free(g->prefix);
	mem_free(g);
}

/* --- listing --- */

static int
add_item(struct gcs *g, const json_t *item, struct store_list *into, struct err_info *ei)
{
	struct json_in in = { .what = "listing", .ei = ei };
	const char *name = json_in_str(&in, item, "name");
	size_t skip = strlen(g->prefix);
	struct gcs_object o;
	int rc = in.err != 0 ? in.err : gcs_object_parse(item, &o, ei);

	if (rc != 0)
		return rc;
	if (strncmp(name, g->prefix, skip) != 0)
		return err_set(ei, ERR_PROTO, "listing: \"%.200s\" was not asked for", name);
	return store_list_add(into, name + skip, &o.object);
}

/* A page may be empty and yet have one behind it. */
static int
list_page(struct gcs *g, const char *prefix, char **token, struct store_list *into,
    struct err_info *ei)
{
	struct gcs_patience p = gcs_patience(g);
	char url[GCS_URL_MAX];
	struct gcs_call c = { .url = url };
	json_t *doc, *item;
	struct buf query;
	const char *next;
	size_t i;
	int rc;

	buf_init(&query, GCS_URL_MAX);
	buf_str(&query, "/storage/v1/b/");
	http_encode(&query, g->bucket);
	buf_str(&query,
	    "/o?fields=nextPageToken,items(name,size,generation,timeCreated,crc32c)&prefix=");
	http_encode(&query, g->prefix);
	http_encode(&query, prefix);
	if (*token != NULL) {
		buf_str(&query, "&pageToken=");
		http_encode(&query, *token);
	}
	rc = buf_cstr(&query) == NULL ? buf_err(&query) : gcs_url(g, url, "%s", query.ptr);
	buf_clear(&query);
	if (rc == 0)
		rc = gcs_call_json(g, &c, &p, &doc, ei);
	if (rc != 0)
		return rc;
	json_array_foreach(json_object_get(doc, "items"), i, item)
	{
		if (rc == 0)
			rc = add_item(g, item, into, ei);
	}
	next = json_string_value(json_object_get(doc, "nextPageToken"));
	mem_free(*token);
	*token = mem_strdup(next);
	if (rc == 0 && next != NULL && *token == NULL)
		rc = ERR_NOMEM;
	json_decref(doc);
	return rc;
}

static int
gcs_list(struct store *s, const char *prefix, struct store_list *into, struct err_info *ei)
{
	struct gcs *g = (struct gcs *)s;
	char *token = NULL;
	int rc;

	do
		rc = list_page(g, prefix, &token, into, ei);
	while (rc == 0 && token != NULL);
	mem_free(token);
	return rc;
}

static int
gcs_stat_op(struct store *s, const char *name, struct store_object *ret, struct err_info *ei)
{
	struct gcs_object o;
	int rc = gcs_stat((struct gcs *)s, name, &o, ei);

	if (rc == 0)
		*ret = o.object;
	return rc;
}

/* --- deleting --- */

static int
gcs_delete(struct store *s, const char *name, int64_t if_generation, struct err_info *ei)
{
	struct gcs *g = (struct gcs *)s;
	struct gcs_patience p = gcs_patience(g);
	char url[GCS_URL_MAX], condition[48];
	struct gcs_call c = {
		.method = "DELETE", .url = url, .once = if_generation == STORE_ANY
	};
	int rc =
	    gcs_object_url(g, name, url, "%s", gcs_condition(if_generation, '?', condition));

	if (rc == 0)
		rc = gcs_call(g, &c, &p, ei);
	/* Gone, after an answer was lost: it was this call that did it. */
	if (rc == ERR_NOENT && p.tries > 1 && if_generation != STORE_ANY)
		rc = 0;
	return rc;
}

/* --- buckets --- */

static int
bucket_url(const struct gcs *g, char out[GCS_URL_MAX])
{
	struct buf b;
	int rc;

	buf_init(&b, GCS_URL_MAX);
	http_encode(&b, g->bucket);
	rc = buf_cstr(&b) == NULL ? buf_err(&b) : gcs_url(g, out, "/storage/v1/b/%s", b.ptr);
	buf_clear(&b);
	return rc;
}

static int
gcs_make_bucket(struct store *s, const char *project, struct err_info *ei)
{
	struct gcs *g = (struct gcs *)s;
	struct gcs_patience p = gcs_patience(g);
	char url[GCS_URL_MAX];
	/* Bucket names are taken for good or not at all: sending it again does no harm. */
	struct gcs_call c = {
		.method = "POST", .url = url, .content_type = "application/json"
	};
	struct buf name, body;
	int rc;

	buf_init(&name, GCS_URL_MAX);
	buf_init(&body, GCS_URL_MAX);
	http_encode(&name, project);
	buf_fmt(&body, "{\"name\":\"%s\"}", g->bucket);
	c.body = buf_view(&body);
	rc = buf_cstr(&name) == NULL ? buf_err(&name)
				     : gcs_url(g, url, "/storage/v1/b?project=%s", name.ptr);
	if (rc == 0)
		rc = gcs_call(g, &c, &p, ei);
	if (rc == ERR_CONFLICT && p.tries > 1) {
		struct store_bucket there;

		if (g->base.ops->stat_bucket(s, &there, NULL) == 0)
			rc = 0;
	}
	buf_clear(&name);
	buf_clear(&body);
	return rc;
}

static int
gcs_stat_bucket(struct store *s, struct store_bucket *ret, struct err_info *ei)
{
	struct gcs *g = (struct gcs *)s;
	struct gcs_patience p = gcs_patience(g);
	struct json_in in = { .what = "bucket", .ei = ei };
	struct store_bucket b = { 0 };
	char url[GCS_URL_MAX];
	struct gcs_call c = { .url = url };
	json_t *doc;
	int rc = bucket_url(g, url);

	if (rc == 0)
		rc = gcs_call_json(g, &c, &p, &doc, ei);
	if (rc != 0)
		return rc;
	snprintf(b.location, sizeof(b.location), "%s", json_in_opt_str(&in, doc, "location"));
	snprintf(b.storage_class, sizeof(b.storage_class), "%s",
	    json_in_opt_str(&in, doc, "storageClass"));
	b.created_ms = json_in_opt_time(&in, doc, "timeCreated");
	json_decref(doc);
	if (in.err == 0)
		*ret = b;
	return in.err;
}

/* --- opening --- */

/* gs://bucket/some/prefix: the prefix gets a slash at its end. */
static int
split_url(struct gcs *g, const char *url, struct err_info *ei)
{
	const char *bucket = url + 5, *slash = strchr(bucket, '/');
	size_t len = slash != NULL ? (size_t)(slash - bucket) : strlen(bucket), rest;
	struct buf prefix;

	if (len < 3 || len > 222 ||
	    strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789-_.") < len)
		return err_set(
		    ei, ERR_INVAL, "%s: \"%.*s\" is no bucket's name", url, (int)len, bucket);
	g->bucket = mem_memdup(bucket, len);
	buf_init(&prefix, STORE_NAME_MAX);
	buf_str(&prefix, slash != NULL ? slash + 1 : "");
	for (rest = prefix.len; rest > 0 && prefix.ptr[rest - 1] == '/'; rest--)
		;
	prefix.len = rest;
	if (rest > 0)
		buf_char(&prefix, '/');
	g->prefix = buf_take(&prefix, NULL);
	buf_clear(&prefix);
	if (g->bucket == NULL || g->prefix == NULL)
		return ERR_NOMEM;
	if (g->prefix[0] == '/')
		return err_set(ei, ERR_INVAL, "%s: a prefix cannot begin with a slash", url);
	return 0;
}

/* A variable that names a server, without slashes at its end. */
static int
origin_from(struct gcs *g, const char *variable, const char *value, struct err_info *ei)
{
	size_t len = strlen(value);

	while (len > 0 && value[len - 1] == '/')
		len--;
	if (strncmp(value, "http://", 7) != 0 && strncmp(value, "https://", 8) != 0)
		return err_set(
		    ei, ERR_INVAL, "%s must begin with http:// or https://", variable);
	g->origin = mem_memdup(value, len);
	return g->origin != NULL ? 0 : ERR_NOMEM;
}

/* Tokens go over TLS, or nowhere but to this machine. */
static bool
is_private(const char *origin)
{
	static const char *const local[] = { "https://", "http://127.0.0.1", "http://localhost",
		"http://[::1]" };

	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
		size_t len = strlen(local[i]);

		if (strncmp(origin, local[i], len) == 0 &&
		    (i == 0 || origin[len] == ':' || origin[len] == '\0'))
			return true;
	}
	return false;
}

static int
find_origin(struct gcs *g, struct err_info *ei)
{
	const char *emulator = getenv("STORAGE_EMULATOR_HOST"),
		   *endpoint = getenv(ENDPOINT_VARIABLE);
	struct gcp_auth_opts o = { .http = g->http, .scope = GCP_SCOPE_STORAGE };
	int rc;

	if (emulator != NULL && emulator[0] != '\0')
		return origin_from(g, "STORAGE_EMULATOR_HOST", emulator, ei);
	rc = origin_from(g, ENDPOINT_VARIABLE,
	    endpoint != NULL && endpoint[0] != '\0' ? endpoint : ORIGIN, ei);
	if (rc == 0 && !is_private(g->origin))
		rc = err_set(
		    ei, ERR_INVAL, "%s: a token is not sent without TLS", ENDPOINT_VARIABLE);
	return rc == 0 ? gcp_auth_new(&o, &g->auth, ei) : rc;
}

static int
open_gcs(struct gcs *g, const char *url, struct err_info *ei)
{
	int rc = split_url(g, url, ei);

	if (rc == 0 && (g->base.url = mem_strdup(url)) == NULL)
		rc = ERR_NOMEM;
	if (rc == 0)
		rc = http_curl_new(USER_AGENT, g->o.ca_file, &g->cancel, &g->http, ei);
	if (rc == 0)
		rc = find_origin(g, ei);
	return rc;
}

int
store_gcs_new(const char *url, const struct store_open_opts *opts, struct store **ret,
    struct err_info *ei)
{
	static const struct store_ops ops = {
		.close = gcs_close,
		.list = gcs_list,
		.stat = gcs_stat_op,
		.read = gcs_read,
		.put = gcs_put,
		.delete = gcs_delete,
		.copy = gcs_copy,
		.compose = gcs_compose,
		.make_bucket = gcs_make_bucket,
		.stat_bucket = gcs_stat_bucket,
	};
	struct gcs *g = mem_zalloc(sizeof(*g));
	int rc;

	if (g == NULL)
		return ERR_NOMEM;
	g->base.ops = &ops;
	g->o = *opts;
	if (g->o.deadline_ms == 0)
		g->o.deadline_ms = DEADLINE_MS;
	if (g->o.backoff_ms == 0)
		g->o.backoff_ms = BACKOFF_MS;
	g->cancel = opts->cancel != NULL ? *opts->cancel : (struct cancel){ .fd = -1 };
	g->jitter = (uint64_t)clock_mono_ms() * 2 + 1;
	http_response_init(&g->res);
	rc = open_gcs(g, url, ei);
	if (rc != 0) {
		store_close(&g->base);
		return rc;
	}
	*ret = &g->base;
	return 0;
}
