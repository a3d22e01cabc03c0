/* k8s_client.c - see k8s_client.h; must not know what the objects mean. */
#include "sprvsr/k8s_client.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/mem.h"
#include "base/x509.h"

#define TRIES 4
#define TOTAL_MS 30000
#define STALL_MS 15000
#define BACKOFF_MS 250
#define BACKOFF_MAX_MS 10000
#define RETRY_AFTER_MAX_MS 60000
#define TOKEN_MS 60000 /* bound tokens live an hour; the kubelet renews them well before */

struct k8s_client {
	struct k8s_shared *shared;
	struct k8s_config fresh; /* read since the start; its server is NULL: nothing was */
	struct http *http;       /* borrows the texts of the configuration */
	bool own_http;           /* over curl */
	struct cancel cancel;
	bool cancelable;
	struct http_response res;
	struct buf url, auth;
	int64_t token_ms; /* when it was read, 0: not */
};

void
k8s_shared_init(
    struct k8s_shared *s, const struct k8s_config *config, double per_s, double burst)
{
	*s = (struct k8s_shared){
		.config = config, .per_s = per_s, .burst = burst, .tokens = burst
	};
	s->filled_ms = clock_mono_ms();
	pthread_mutex_init(&s->lock, NULL);
}

void
k8s_shared_clear(struct k8s_shared *s)
{
	pthread_mutex_destroy(&s->lock);
}

/* Take a turn; how long to wait for it. */
static int64_t
take_turn(struct k8s_shared *s)
{
	int64_t now = clock_mono_ms(), wait;

	pthread_mutex_lock(&s->lock);
	s->tokens += (double)(now - s->filled_ms) * s->per_s / 1000.0;
	if (s->tokens > s->burst)
		s->tokens = s->burst;
	s->filled_ms = now;
	s->tokens -= 1;
	wait = s->tokens >= 0 ? 0 : (int64_t)(-s->tokens * 1000.0 / s->per_s) + 1;
	pthread_mutex_unlock(&s->lock);
	return wait;
}

static void
count(struct k8s_shared *s, const char *verb, int code)
{
	size_t i;

	pthread_mutex_lock(&s->lock);
	for (i = 0; i < s->count_count; i++) {
		if (s->counts[i].code == code && strcmp(s->counts[i].verb, verb) == 0)
			break;
	}
	if (i == s->count_count && i < K8S_COUNTS_MAX) {
		s->count_count++;
		s->counts[i].code = code;
		snprintf(s->counts[i].verb, sizeof(s->counts[i].verb), "%s", verb);
	}
	if (i < K8S_COUNTS_MAX)
		s->counts[i].count++;
	pthread_mutex_unlock(&s->lock);
}

static const struct k8s_config *
conf_of(const struct k8s_client *c)
{
	return c->fresh.server != NULL ? &c->fresh : c->shared->config;
}

static int
new_http(const struct k8s_client *c, const struct k8s_config *conf, struct http **ret,
    struct err_info *ei)
{
	const struct http_tls tls = { conf->ca_pem, conf->cert_pem, conf->key_pem };

	return http_curl_new_tls("maintner-sprvsr/" MAINTNER_VERSION, &tls,
	    c->cancelable ? &c->cancel : NULL, ret, ei);
}

/* Read the configuration again; whether it is another one, and used from now on. */
static bool
renew(struct k8s_client *c)
{
	struct k8s_config conf = { .server = NULL };
	struct http *http = NULL;

	if (k8s_config_reread(conf_of(c), &conf, NULL) != 0)
		return false;
	if (k8s_config_is_same(conf_of(c), &conf) ||
	    (c->own_http && new_http(c, &conf, &http, NULL) != 0)) {
		k8s_config_clear(&conf);
		return false;
	}
	if (c->own_http) {
		http_free(c->http);
		c->http = http;
	}
	k8s_config_clear(&c->fresh);
	c->fresh = conf;
	c->token_ms = 0;
	return true;
}

/* Can this failure come from credentials or authorities that were replaced? */
static bool
may_be_outdated(const struct k8s_client *c, int rc)
{
	bool refused_us = rc == ERR_CLOSED && conf_of(c)->cert_pem != NULL;

	return rc == ERR_AUTH || (c->res.status == 0 && (rc == ERR_DENIED || refused_us));
}

int
k8s_client_new(struct k8s_shared *s, const struct cancel *cancel, struct http *http,
    struct k8s_client **ret, struct err_info *ei)
{
	struct k8s_client *c = mem_zalloc(sizeof(*c));
	int rc = 0;

	if (c == NULL) {
		http_free(http);
		return ERR_NOMEM;
	}
	c->shared = s;
	c->http = http;
	c->cancelable = cancel != NULL;
	if (cancel != NULL)
		c->cancel = *cancel;
	c->own_http = http == NULL;
	if (c->own_http)
		rc = new_http(c, s->config, &c->http, ei);
	if (rc != 0) {
		mem_free(c);
		return rc;
	}
	http_response_init(&c->res);
	buf_init(&c->url, 16384);
	buf_init(&c->auth, K8S_FILE_MAX);
	*ret = c;
	return 0;
}

void
k8s_client_free(struct k8s_client *c)
{
	if (c == NULL)
		return;
	http_free(c->http);
	k8s_config_clear(&c->fresh);
	http_response_clear(&c->res);
	buf_clear(&c->url);
	buf_clear(&c->auth);
	mem_free(c);
}

int
k8s_wait(struct k8s_client *c, int64_t ms)
{
	return cancel_sleep(c->cancelable ? &c->cancel : NULL, ms);
}

double
k8s_random(void)
{
	uint32_t r = 0;

	if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r))
		return 0.5;
	return (double)r / 4294967296.0;
}

static int
read_token(struct k8s_client *c, struct err_info *ei)
{
	const struct k8s_config *conf = conf_of(c);
	char *read = NULL;
	size_t len;
	int rc = 0;

	if (conf->token_file != NULL)
		rc = k8s_read_file("token", conf->token_file, &read, ei);
	if (rc != 0)
		return rc;
	buf_reset(&c->auth);
	if (read != NULL || conf->token != NULL) {
		const char *token = read != NULL ? read : conf->token;

		for (len = strlen(token); len > 0 && isspace((unsigned char)token[len - 1]);)
			len--;
		buf_str(&c->auth, "Bearer ");
		buf_add(&c->auth, token, len);
		if (len == 0 || strcspn(token, "\r\n") < len)
			rc = err_set(ei, ERR_INVAL, "token: it is empty or of several lines");
	}
	mem_free(read);
	c->token_ms = clock_mono_ms();
	return rc != 0 ? rc : buf_err(&c->auth);
}

static int64_t
retry_after_ms(const struct http_response *res)
{
	struct slice v = http_response_header(res, "retry-after");
	int64_t s = 0;

	for (size_t i = 0; i < v.len && v.ptr[i] >= '0' && v.ptr[i] <= '9' && s < 1000; i++)
		s = s * 10 + (v.ptr[i] - '0');
	return s * 1000 < RETRY_AFTER_MAX_MS ? s * 1000 : RETRY_AFTER_MAX_MS;
}

/* What a Status says; the body may be anything. */
static int
refused(struct k8s_client *c, const struct k8s_call *call, int rc, struct err_info *ei)
{
	const char *message = NULL;
	json_t *doc = NULL;

	if (c->res.body.len > 0 &&
	    json_in_parse(buf_view(&c->res.body), "status", &doc, NULL) == 0)
		message = json_string_value(json_object_get(doc, "message"));
	err_set(ei, rc, "%s %.*s: HTTP %d%s%s", call->method, (int)strcspn(call->path, "?"),
	    call->path, c->res.status, message != NULL ? ": " : "",
	    message != NULL ? message : "");
	if (ei != NULL) {
		ei->http_status = c->res.status;
		if (rc == ERR_RATE || rc == ERR_UNAVAILABLE)
			ei->retry_after_ms = retry_after_ms(&c->res);
	}
	json_decref(doc);
	return rc;
}

static int
once(struct k8s_client *c, const struct k8s_call *call, int64_t left_ms, struct err_info *ei)
{
	struct http_header headers[4] = { { "Accept", "application/json" } };
	struct http_request req = { .method = call->method,
		.headers = headers,
		.body = call->body,
		.body_max = K8S_ANSWER_MAX,
		.connect_ms = 5000,
		.stall_ms = call->stall_ms > 0 ? call->stall_ms : STALL_MS,
		.total_ms = call->total_ms > 0 ? call->total_ms : TOTAL_MS,
		.on_body = call->on_body,
		.body_ctx = call->body_ctx };
	size_t n = 1;
	int rc;

	if (req.total_ms > left_ms)
		req.total_ms = left_ms;
	buf_reset(&c->url);
	buf_fmt(&c->url, "%s%s", conf_of(c)->server, call->path);
	if (c->auth.len > 0)
		headers[n++] = (struct http_header){ "Authorization", buf_cstr(&c->auth) };
	if (call->content_type != NULL)
		headers[n++] = (struct http_header){ "Content-Type", call->content_type };
	headers[n].name = NULL;
	req.url = buf_cstr(&c->url);
	if (req.url == NULL)
		return buf_err(&c->url);
	if (ei != NULL)
		ei->retry_after_ms = 0; /* of the try before */
	rc = http_perform(c->http, &req, &c->res, ei);
	if (rc == ERR_CANCELED)
		return rc;
	count(c->shared, call->verb, c->res.status);
	if (rc != 0)
		return rc;
	rc = http_status_err(c->res.status);
	return rc != 0 ? refused(c, call, rc, ei) : 0;
}

/* How long to wait before the next try, -1: there is none. */
static int64_t
pause_ms(struct k8s_client *c, int rc, unsigned nth)
{
	int64_t ms = (int64_t)BACKOFF_MS << (nth < 8 ? nth : 8);
	int64_t asked = 0;

	if (rc != ERR_RATE && rc != ERR_UNAVAILABLE && rc != ERR_CLOSED && rc != ERR_TIMEOUT)
		return -1;
	if (rc == ERR_RATE || rc == ERR_UNAVAILABLE)
		asked = retry_after_ms(&c->res);
	if (ms > BACKOFF_MAX_MS)
		ms = BACKOFF_MAX_MS;
	ms = ms / 2 + (int64_t)((double)ms * k8s_random());
	return asked > 0 ? asked + ms / 4 : ms;
}

/* A server that does not take our certificate often says no more than a closed connection. */
static int
explain(const struct k8s_client *c, int rc, struct err_info *ei)
{
	const char *cert = conf_of(c)->cert_pem;

	if (may_be_outdated(c, rc) && cert != NULL && x509_has_expired(cert))
		return err_wrap(ei, rc, "the client certificate has expired");
	return rc;
}

int
k8s_ask(struct k8s_client *c, const struct k8s_call *call, const struct http_response **ret,
    struct err_info *ei)
{
	unsigned tries = call->tries > 0 ? call->tries : TRIES;
	bool fresh_token = false, renewed = false;
	int rc = 0;

	for (unsigned nth = 0;; nth++) {
		int64_t wait = call->urgent ? 0 : take_turn(c->shared), left = INT64_MAX;

		if (wait > 0 && k8s_wait(c, wait) != 0)
			return err_set(ei, ERR_CANCELED, "canceled");
		if (c->token_ms == 0 || clock_mono_ms() - c->token_ms > TOKEN_MS)
			rc = read_token(c, ei);
		/* Waiting takes its time: what allowed this request may have ended meanwhile. */
		if (call->time_left_ms != NULL)
			left = call->time_left_ms(call->left_ctx);
		if (rc == 0 && left <= 0)
			return err_set(ei, ERR_CANCELED, "no longer allowed to");
		if (rc == 0)
			rc = once(c, call, left, ei);
		if (rc == 0)
			break;
		if (!renewed && may_be_outdated(c, rc)) {
			renewed = true;
			if (renew(c)) {
				rc = 0;
				continue;
			}
		}
		if (rc == ERR_AUTH && !fresh_token && conf_of(c)->token_file != NULL) {
			fresh_token = true;
			rc = read_token(c, ei);
			if (rc == 0)
				continue;
		}
		wait = pause_ms(c, rc, nth);
		if (wait < 0 || nth + 1 >= tries)
			return explain(c, rc, ei);
		if (k8s_wait(c, wait) != 0)
			return err_set(ei, ERR_CANCELED, "canceled");
		rc = 0;
	}
	if (ret != NULL)
		*ret = &c->res;
	return 0;
}

int
k8s_ask_json(
    struct k8s_client *c, const struct k8s_call *call, json_t **ret, struct err_info *ei)
{
	const struct http_response *res;
	int rc = k8s_ask(c, call, &res, ei);

	return rc != 0 ? rc : json_in_parse(buf_view(&res->body), call->path, ret, ei);
}
