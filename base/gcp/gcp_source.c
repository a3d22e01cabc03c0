/*
 * gcp_source.c - the kinds of credentials, each a request or two for a token.
 * Knows what each file looks like; keeps nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/gcp/gcp_auth_impl.h"
#include "base/json_text.h"
#include "base/jwt.h"
#include "base/mem.h"

#define ASSERTION_LIFE_S 3600 /* the most that the token endpoint accepts */
#define TOKEN_URL "https://oauth2.googleapis.com/token"
#define STS_GRANT "urn:ietf:params:oauth:grant-type:token-exchange"
#define JWT_GRANT "urn:ietf:params:oauth:grant-type:jwt-bearer"
#define ACCESS_TOKEN_TYPE "urn:ietf:params:oauth:token-type:access_token"

static const char *
member(const json_t *o, const char *name)
{
	const char *v = json_string_value(json_object_get(o, name));

	return v != NULL ? v : "";
}

/* --- checking files --- */

static const struct kind {
	const char *type;
	const char *needs[5];
	int (*mint)(struct gcp_auth *a, struct gcp_token *ret, struct err_info *ei);
} * find_kind(const json_t *credentials);

int
gcp_source_check(const json_t *credentials, const char *path, struct err_info *ei)
{
	const struct kind *k = find_kind(credentials);

	if (k == NULL)
		return err_set(ei, ERR_INVAL,
		    "%s: type \"%.40s\" is none of service_account, authorized_user, "
		    "external_account",
		    path, member(credentials, "type"));
	for (size_t i = 0; i < 5 && k->needs[i] != NULL; i++) {
		if (json_object_get(credentials, k->needs[i]) == NULL)
			return err_set(ei, ERR_INVAL, "%s: a %s file needs the member \"%s\"",
			    path, k->type, k->needs[i]);
	}
	return 0;
}

/* --- asking --- */

static void
add_form(struct buf *b, const char *name, const char *value)
{
	if (b->len > 0)
		buf_char(b, '&');
	buf_str(b, name);
	buf_char(b, '=');
	http_encode(b, value);
}

/* What an endpoint says is wrong; RFC 6749 section 5.2, or a google.rpc.Status. */
static int
refused(const json_t *doc, int status, const char *url, struct err_info *ei)
{
	int code = http_status_err(status);
	const json_t *error = json_object_get(doc, "error");
	const char *why =
	    json_is_string(error) ? json_string_value(error) : member(error, "message");

	if (code == ERR_HTTP || code == ERR_DENIED)
		code = ERR_AUTH;
	return err_set(ei, code, "%s: status %d %.200s %.200s", url, status, why,
	    member(doc, "error_description"));
}

static int
exchange(struct gcp_auth *a, const struct http_request *req, json_t **ret, struct err_info *ei)
{
	struct http_response res;
	json_t *doc = NULL;
	int rc;

	http_response_init(&res);
	rc = http_perform(a->o.http, req, &res, ei);
	if (rc == 0)
		rc = json_in_parse(
		    buf_view(&res.body), "token answer", &doc, res.status == 200 ? ei : NULL);
	if (res.status != 0 && res.status != 200)
		rc = refused(doc, res.status, req->url, ei);
	if (res.body.ptr != NULL)
		explicit_bzero(res.body.ptr, res.body.len);
	http_response_clear(&res);
	if (rc != 0) {
		json_decref(doc);
		return rc;
	}
	*ret = doc;
	return 0;
}

/* Keep a token: `seconds` is how long it lives. */
static int
take_token(struct gcp_auth *a, const char *token, int64_t seconds, struct gcp_token *ret,
    struct err_info *ei)
{
	struct buf b;

	if (token[0] == '\0' || strpbrk(token, "\r\n") != NULL || seconds <= 0)
		return err_set(ei, ERR_PROTO, "the answer holds no usable access token");
	buf_init(&b, GCP_ANSWER_MAX);
	buf_fmt(&b, "Bearer %s", token);
	ret->header = buf_take(&b, NULL);
	ret->expires_ms = a->o.now_ms() + seconds * 1000;
	return ret->header != NULL ? 0 : ERR_NOMEM;
}

/* POST a form to a token endpoint that answers {"access_token":..,"expires_in":..}. */
static int
post_form(struct gcp_auth *a, const char *url, struct buf *form, struct gcp_token *ret,
    struct err_info *ei)
{
	const struct http_header headers[] = {
		{ "Content-Type", "application/x-www-form-urlencoded" }, { NULL, NULL }
	};
	struct http_request req = { .url = url,
		.headers = headers,
		.body = buf_view(form),
		.body_max = GCP_ANSWER_MAX };
	struct json_in in = { .what = "token answer", .ei = ei };
	json_t *doc;
	int rc = buf_err(form);

	if (rc == 0)
		rc = exchange(a, &req, &doc, ei);
	if (rc != 0)
		return rc;
	rc = take_token(a, json_in_str(&in, doc, "access_token"),
	    json_in_i64(&in, doc, "expires_in"), ret, in.err == 0 ? ei : NULL);
	json_decref(doc);
	return in.err != 0 ? in.err : rc;
}

/* --- service_account: a signed assertion --- */

static int
mint_service_account(struct gcp_auth *a, struct gcp_token *ret, struct err_info *ei)
{
	const json_t *c = a->credentials;
	const char *url =
	    member(c, "token_uri")[0] != '\0' ? member(c, "token_uri") : TOKEN_URL;
	int64_t now_s = a->o.now_ms() / 1000;
	struct buf claims, assertion, form;
	int rc;

	buf_init(&claims, GCP_ANSWER_MAX);
	buf_init(&assertion, GCP_ANSWER_MAX);
	buf_init(&form, GCP_ANSWER_MAX);
	buf_str(&claims, "{\"iss\":");
	json_text_quote(&claims, slice_str(member(c, "client_email")));
	buf_str(&claims, ",\"scope\":");
	json_text_quote(&claims, slice_str(a->o.scope));
	buf_str(&claims, ",\"aud\":");
	json_text_quote(&claims, slice_str(url));
	buf_fmt(&claims, ",\"iat\":%lld,\"exp\":%lld}", (long long)now_s,
	    (long long)(now_s + ASSERTION_LIFE_S));
	rc = jwt_sign_rs256(member(c, "private_key_id"), buf_view(&claims),
	    member(c, "private_key"), &assertion, ei);
	if (rc == 0 && buf_cstr(&assertion) == NULL)
		rc = ERR_NOMEM;
	if (rc == 0) {
		add_form(&form, "grant_type", JWT_GRANT);
		add_form(&form, "assertion", assertion.ptr);
		rc = post_form(a, url, &form, ret, ei);
	}
	buf_clear(&claims);
	buf_clear(&assertion);
	buf_clear(&form);
	return rc;
}

/* --- authorized_user: a refresh token --- */

static int
mint_authorized_user(struct gcp_auth *a, struct gcp_token *ret, struct err_info *ei)
{
	const json_t *c = a->credentials;
	const char *url =
	    member(c, "token_uri")[0] != '\0' ? member(c, "token_uri") : TOKEN_URL;
	struct buf form;
	int rc;

	buf_init(&form, GCP_ANSWER_MAX);
	add_form(&form, "grant_type", "refresh_token");
	add_form(&form, "client_id", member(c, "client_id"));
	add_form(&form, "client_secret", member(c, "client_secret"));
	add_form(&form, "refresh_token", member(c, "refresh_token"));
	rc = post_form(a, url, &form, ret, ei);
	buf_clear(&form);
	return rc;
}

/* --- external_account: somebody else's token, exchanged --- */

/* The token itself, or a member of a JSON document, as `format` says. */
static int
subject_of(const json_t *source, struct slice text, char **ret, struct err_info *ei)
{
	const json_t *format = json_object_get(source, "format");
	json_t *doc;
	int rc;

	if (strcmp(member(format, "type"), "json") != 0) {
		*ret = mem_memdup(text.ptr, text.len);
		return *ret != NULL ? 0 : ERR_NOMEM;
	}
	rc = json_in_parse(text, "subject token", &doc, ei);
	if (rc != 0)
		return rc;
	if (member(doc, member(format, "subject_token_field_name"))[0] == '\0')
		rc = err_set(ei, ERR_PROTO,
		    "the subject token's document has no member \"%.60s\"",
		    member(format, "subject_token_field_name"));
	else
		*ret = mem_strdup(member(doc, member(format, "subject_token_field_name")));
	json_decref(doc);
	return rc == 0 && *ret == NULL ? ERR_NOMEM : rc;
}

static int
subject_from_url(struct gcp_auth *a, const json_t *source, char **ret, struct err_info *ei)
{
	struct http_header headers[9] = { { NULL, NULL } };
	struct http_request req = {
		.url = member(source, "url"), .headers = headers, .body_max = GCP_ANSWER_MAX
	};
	struct http_response res;
	const char *name;
	json_t *value;
	size_t n = 0;
	int rc;

	json_object_foreach(json_object_get(source, "headers"), name, value)
	{
		if (n < 8 && json_is_string(value))
			headers[n++] = (struct http_header){ name, json_string_value(value) };
	}
	http_response_init(&res);
	rc = http_perform(a->o.http, &req, &res, ei);
	if (rc == 0 && res.status != 200)
		rc = refused(NULL, res.status, req.url, ei);
	if (rc == 0)
		rc = subject_of(source, buf_view(&res.body), ret, ei);
	http_response_clear(&res);
	return rc;
}

static int
subject_token(struct gcp_auth *a, char **ret, struct err_info *ei)
{
	const json_t *source = json_object_get(a->credentials, "credential_source");
	char *text;
	int rc;

	if (member(source, "url")[0] != '\0')
		return subject_from_url(a, source, ret, ei);
	if (member(source, "file")[0] == '\0')
		return err_set(
		    ei, ERR_INVAL, "external_account: only file and url sources are supported");
	rc = conf_read_secret(member(source, "file"), &text, ei);
	if (rc != 0)
		return rc;
	rc = subject_of(source, slice_str(text), ret, ei);
	mem_free(text);
	return rc;
}

/* Act as a service account: its token in exchange for the federated one. */
static int
impersonate(struct gcp_auth *a, const char *url, struct gcp_token *federated,
    struct gcp_token *ret, struct err_info *ei)
{
	const struct http_header headers[] = { { "Content-Type", "application/json" },
		{ "Authorization", federated->header }, { NULL, NULL } };
	struct json_in in = { .what = "token answer", .ei = ei };
	struct http_request req = {
		.url = url, .headers = headers, .body_max = GCP_ANSWER_MAX
	};
	int64_t expires;
	struct buf body;
	json_t *doc;
	int rc;

	buf_init(&body, GCP_ANSWER_MAX);
	buf_str(&body, "{\"scope\":[");
	json_text_quote(&body, slice_str(a->o.scope));
	buf_str(&body, "],\"lifetime\":\"3600s\"}");
	req.body = buf_view(&body);
	rc = buf_err(&body) != 0 ? buf_err(&body) : exchange(a, &req, &doc, ei);
	buf_clear(&body);
	if (rc != 0)
		return rc;
	expires = json_in_time(&in, doc, "expireTime");
	rc = take_token(a, json_in_str(&in, doc, "accessToken"),
	    in.err == 0 ? (expires - a->o.now_ms()) / 1000 : 0, ret, in.err == 0 ? ei : NULL);
	json_decref(doc);
	return in.err != 0 ? in.err : rc;
}

static int
mint_external_account(struct gcp_auth *a, struct gcp_token *ret, struct err_info *ei)
{
	const json_t *c = a->credentials;
	const char *impersonation = member(c, "service_account_impersonation_url");
	struct gcp_token federated = { 0 };
	char *subject = NULL;
	struct buf form;
	int rc = subject_token(a, &subject, ei);

	if (rc != 0)
		return rc;
	buf_init(&form, GCP_ANSWER_MAX);
	add_form(&form, "grant_type", STS_GRANT);
	add_form(&form, "requested_token_type", ACCESS_TOKEN_TYPE);
	add_form(&form, "subject_token_type", member(c, "subject_token_type"));
	add_form(&form, "audience", member(c, "audience"));
	/* The account that is acted as decides about the scope; the exchange needs this one. */
	add_form(&form, "scope", impersonation[0] != '\0' ? GCP_SCOPE_CLOUD : a->o.scope);
	add_form(&form, "subject_token", subject);
	rc = post_form(a, member(c, "token_url"), &form, &federated, ei);
	if (rc == 0 && impersonation[0] != '\0') {
		rc = impersonate(a, impersonation, &federated, ret, ei);
		mem_free(federated.header);
	} else if (rc == 0) {
		*ret = federated;
	}
	explicit_bzero(subject, strlen(subject));
	mem_free(subject);
	buf_clear(&form);
	return rc;
}

/* --- the metadata server --- */

static int
mint_metadata(struct gcp_auth *a, struct gcp_token *ret, struct err_info *ei)
{
	const struct http_header headers[] = { { "Metadata-Flavor", "Google" },
		{ NULL, NULL } };
	struct http_request req = {
		.headers = headers, .body_max = GCP_ANSWER_MAX, .connect_ms = 3000
	};
	struct json_in in = { .what = "token answer", .ei = ei };
	char url[512];
	json_t *doc;
	int rc;

	snprintf(url, sizeof(url),
	    "http://%s/computeMetadata/v1/instance/service-accounts/default/token",
	    a->metadata_host);
	req.url = url;
	rc = exchange(a, &req, &doc, ei);
	if (rc != 0)
		return err_wrap(ei, rc,
		    "no credentials: GOOGLE_APPLICATION_CREDENTIALS is not set, and the "
		    "metadata server");
	rc = take_token(a, json_in_str(&in, doc, "access_token"),
	    json_in_i64(&in, doc, "expires_in"), ret, in.err == 0 ? ei : NULL);
	json_decref(doc);
	return in.err != 0 ? in.err : rc;
}

static const struct kind *
find_kind(const json_t *credentials)
{
	static const struct kind kinds[] = {
		{ "service_account", { "client_email", "private_key" }, mint_service_account },
		{ "authorized_user", { "client_id", "client_secret", "refresh_token" },
		    mint_authorized_user },
		{ "external_account",
		    { "audience", "subject_token_type", "token_url", "credential_source" },
		    mint_external_account },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(member(credentials, "type"), kinds[i].type) == 0)
			return &kinds[i];
	}
	return NULL;
}

int
gcp_source_mint(struct gcp_auth *a, struct gcp_token *ret, struct err_info *ei)
{
	if (a->credentials == NULL)
		return mint_metadata(a, ret, ei);
	return find_kind(a->credentials)->mint(a, ret, ei);
}
