/* gh_app.c - from an App's key to an installation's token, in two or three steps. */
#include "sync/github/gh_app.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/json.h"
#include "base/json_text.h"
#include "base/jwt.h"
#include "base/mem.h"
#include "sync/github/gh_limit.h"
#include "sync/github/gh_link.h"
#include "sync/github/gh_token.h"

#define ANSWER_MAX ((size_t)1 << 20) /* an installation lists its permissions and events */
#define BACK_S 60                    /* for clocks that differ */
#define LIFE_S 540                   /* of the ten minutes that GitHub accepts */
#define APP_ID_MAX 64
#define NAMES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
#define LIMIT_MS 60000 /* a limit that gives no time */

struct gh_app {
	struct gh_app_opts o;
	char *key; /* owned */
	struct gh_file file;
	int64_t installation_id; /* 0: not found yet */
};

/* --- the key --- */

/* Append an assertion to `out`. */
static int
sign(const struct gh_app *a, const char *key, int64_t now_ms, struct buf *out,
    struct err_info *ei)
{
	int64_t now_s = now_ms / 1000;
	struct buf claims;
	int rc;

	buf_init(&claims, 1024);
	buf_fmt(&claims, "{\"iat\":%lld,\"exp\":%lld,\"iss\":", (long long)(now_s - BACK_S),
	    (long long)(now_s + LIFE_S));
	json_text_quote(&claims, slice_str(a->o.app_id));
	buf_char(&claims, '}');
	rc = buf_err(&claims) != 0 ? buf_err(&claims)
				   : jwt_sign_rs256(NULL, buf_view(&claims), key, out, ei);
	buf_clear(&claims);
	return rc != 0 ? rc : buf_err(out);
}

static void
forget_text(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	mem_free(text);
}

static void
forget_buf(struct buf *b)
{
	if (b->ptr != NULL)
		explicit_bzero(b->ptr, b->cap);
	buf_clear(b);
}

/* Read the key file and try what it holds; the old key stays when that fails. */
static int
read_key(struct gh_app *a, struct err_info *ei)
{
	struct buf trial;
	char *key;
	int rc = conf_read_secret(a->o.key_file, &key, ei);

	if (rc != 0)
		return err_wrap(ei, rc, "GitHub App key");
	buf_init(&trial, (size_t)64 << 10);
	rc = sign(a, key, 0, &trial, ei);
	forget_buf(&trial);
	if (rc != 0) {
		forget_text(key);
		return err_wrap(ei, rc, "GitHub App key %s", a->o.key_file);
	}
	forget_text(a->key);
	a->key = key;
	return 0;
}

int
gh_app_reload(struct gh_app *a, int64_t mono_ms, struct err_info *ei)
{
	int rc;

	if (!gh_file_changed(&a->file, mono_ms))
		return 0;
	rc = read_key(a, ei);
	return rc == 0 ? 1 : rc;
}

static int
check(const struct gh_app_opts *o, struct err_info *ei)
{
	size_t len = strlen(o->app_id);

	if (len == 0 || len > APP_ID_MAX || strspn(o->app_id, NAMES) != len)
		return err_set(
		    ei, ERR_INVAL, "\"%.80s\" is no GitHub App id or client id", o->app_id);
	if (o->repository != NULL && strspn(o->repository, NAMES "/") != strlen(o->repository))
		return err_set(ei, ERR_INVAL, "\"%.80s\" is no repository", o->repository);
	if (o->key_file == NULL)
		return err_set(ei, ERR_INVAL, "a GitHub App needs its key file");
	if (o->installation_id < 0 || (o->installation_id == 0 && o->repository == NULL))
		return err_set(ei, ERR_INVAL, "a GitHub App needs the id of its installation");
	return 0;
}

int
gh_app_new(const struct gh_app_opts *opts, struct gh_app **ret, struct err_info *ei)
{
	struct gh_app *a;
	int rc = check(opts, ei);

	if (rc != 0)
		return rc;
	a = mem_zalloc(sizeof(*a));
	if (a == NULL)
		return ERR_NOMEM;
	a->o = *opts;
	a->installation_id = opts->installation_id;
	gh_file_init(&a->file, opts->key_file); /* first: a later change is seen */
	rc = read_key(a, ei);
	if (rc != 0) {
		gh_app_free(a);
		return rc;
	}
	*ret = a;
	return 0;
}

void
gh_app_free(struct gh_app *a)
{
	if (a == NULL)
		return;
	forget_text(a->key);
	mem_free(a);
}

/* --- requests as the App --- */

static void
set_now(const struct http_response *res, int64_t *now_ms)
{
	struct slice date = http_response_header(res, "date");
	char text[64];

	if (date.len == 0 || date.len >= sizeof(text))
		return;
	memcpy(text, date.ptr, date.len);
	text[date.len] = '\0';
	(void)time_parse_http(text, now_ms);
}

/* 404 and the like are about the App here, and must not be taken for the mirrored thing's. */
static int
refused(const struct http_response *res, const char *url, int64_t now_ms, struct err_info *ei)
{
	struct json_in in = { .what = "error" };
	json_t *doc = NULL;
	const char *message = "";
	int rc = http_status_err(res->status);

	if (json_in_parse(buf_view(&res->body), "error", &doc, NULL) == 0)
		message = json_in_opt_str(&in, doc, "message");
	rc = gh_limit_refused(res) ? ERR_RATE : rc == ERR_UNAVAILABLE ? rc : ERR_AUTH;
	err_set(ei, rc, "GitHub App: %s: status %d %.160s", url, res->status, message);
	if (ei != NULL)
		ei->retry_after_ms =
		    rc == ERR_RATE ? gh_limit_wait(res, now_ms, 0, LIMIT_MS) : 0;
	json_decref(doc);
	return rc;
}

static int
exchange(struct gh_app *a, const char *url, bool post, int64_t *now_ms,
    struct http_response *res, struct err_info *ei)
{
	struct http_header headers[5] = { { "Accept", "application/vnd.github+json" },
		{ "X-GitHub-Api-Version", "2022-11-28" } };
	struct http_request req = { .url = url, .headers = headers, .body_max = ANSWER_MAX };
	struct buf assertion;
	int rc;

	buf_init(&assertion, (size_t)64 << 10);
	buf_str(&assertion, "Bearer ");
	rc = sign(a, a->key, *now_ms, &assertion, ei);
	headers[2] = (struct http_header){ "Authorization", buf_cstr(&assertion) };
	if (post) {
		headers[3] = (struct http_header){ "Content-Type", "application/json" };
		req.body = SLICE("{}");
	}
	if (rc == 0 && headers[2].value == NULL)
		rc = ERR_NOMEM;
	if (rc == 0)
		rc = http_perform(a->o.http, &req, res, ei);
	if (rc == 0)
		set_now(res, now_ms);
	forget_buf(&assertion);
	return rc == ERR_LIMIT ? ERR_PROTO : rc; /* too long to be what was asked for */
}

/* A renamed repository is found where GitHub says, on the same host only. */
static bool
moved(const struct gh_app *a, const struct http_response *res, char url[GH_URL_MAX])
{
	struct slice to = http_response_header(res, "location");
	char target[GH_URL_MAX];

	if (http_status_err(res->status) != ERR_MOVED || to.len == 0 || to.len >= GH_URL_MAX)
		return false;
	memcpy(target, to.ptr, to.len);
	target[to.len] = '\0';
	if (!gh_same_origin(a->o.base_url, target))
		return false;
	memcpy(url, target, to.len + 1);
	return true;
}

/* Ask once, and once more by GitHub's clock if that did not like ours. */
static int
ask(struct gh_app *a, const char *path, bool post, int64_t *now_ms, json_t **ret,
    struct err_info *ei)
{
	struct http_response res;
	char url[GH_URL_MAX];
	int rc;

	if ((size_t)snprintf(url, sizeof(url), "%s%s", a->o.base_url, path) >= sizeof(url))
		return err_set(ei, ERR_INVAL, "URL longer than %d bytes", GH_URL_MAX);
	http_response_init(&res);
	rc = exchange(a, url, post, now_ms, &res, ei);
	if (rc == 0 && res.status == 401)
		rc = exchange(a, url, post, now_ms, &res, ei);
	if (rc == 0 && !post && moved(a, &res, url))
		rc = exchange(a, url, post, now_ms, &res, ei);
	if (rc == 0 && res.status != (post ? 201 : 200))
		rc = refused(&res, url, *now_ms, ei);
	else if (rc == 0)
		rc = json_in_parse(buf_view(&res.body), "GitHub App answer", ret, ei);
	if (res.body.ptr != NULL)
		explicit_bzero(res.body.ptr, res.body.len);
	http_response_clear(&res);
	return rc;
}

static int
find_installation(struct gh_app *a, int64_t *now_ms, struct err_info *ei)
{
	struct json_in in = { .what = "installation", .ei = ei };
	char path[512];
	json_t *doc;
	int64_t id;
	int rc;

	snprintf(path, sizeof(path), "/repos/%s/installation", a->o.repository);
	rc = ask(a, path, false, now_ms, &doc, ei);
	if (rc != 0)
		return rc;
	id = json_in_i64(&in, doc, "id");
	json_decref(doc);
	if (in.err == 0 && id <= 0)
		json_in_fail(&in, "id", "is not positive");
	if (in.err == 0)
		a->installation_id = id;
	return in.err;
}

static int
take_token(const json_t *doc, int64_t now_ms, struct gh_app_token *ret, struct err_info *ei)
{
	struct json_in in = { .what = "installation token", .ei = ei };
	const char *text = json_in_str(&in, doc, "token");
	int64_t expires = json_in_time(&in, doc, "expires_at");
	struct gh_app_token token = { .refresh_ms = now_ms + GH_APP_REFRESH_MS,
		.expires_ms = expires };

	if (in.err == 0 && expires <= now_ms)
		json_in_fail(&in, "expires_at", "is past");
	if (in.err != 0)
		return in.err;
	if (token.refresh_ms > expires) /* a server whose tokens live shorter */
		token.refresh_ms = now_ms + (expires - now_ms) / 2;
	token.text = mem_strdup(text);
	if (token.text == NULL)
		return ERR_NOMEM;
	*ret = token;
	return 0;
}

int
gh_app_mint(struct gh_app *a, int64_t *now_ms, struct gh_app_token *ret, struct err_info *ei)
{
	char path[128];
	json_t *doc;
	int rc = 0;

	if (a->installation_id == 0)
		rc = find_installation(a, now_ms, ei);
	if (rc != 0)
		return rc;
	snprintf(path, sizeof(path), "/app/installations/%lld/access_tokens",
	    (long long)a->installation_id);
	rc = ask(a, path, true, now_ms, &doc, ei);
	if (rc == ERR_AUTH)
		a->installation_id = a->o.installation_id; /* installed anew, perhaps */
	if (rc != 0)
		return rc;
	rc = take_token(doc, *now_ms, ret, ei);
	json_decref(doc);
	return rc;
}
