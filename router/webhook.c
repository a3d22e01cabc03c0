/*
 * webhook.c - POST /api/v1/webhook: GitHub says that something changed.
 *
 * The signature is over the raw body, which is hashed as it streams and never kept; of
 * what it says only the repository's name is read, and that is a hint to the repository's
 * sync daemon, never data.  The answer does not wait for the daemon.
 */
#include <stdio.h>
#include <sys/stat.h>

#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "router/call.h"
#include "router/payload.h"
#include "router/poke.h"

#define WEBHOOK_BYTES_MAX ((int64_t)25 << 20) /* GitHub's own limit */
#define SECRETS_MAX 8

enum webhook_result {
	HOOK_POKED,
	HOOK_DUPLICATE,
	HOOK_NOT_TRACKED,
	HOOK_NO_REPOSITORY,
	HOOK_BAD_SIGNATURE,
	HOOK_TOO_LARGE,
	HOOK_BAD_PAYLOAD,
	HOOK_BAD_REQUEST,
};

struct webhooks {
	const char *secret_file; /* NULL: nobody may */
	char *text;              /* its content; the secrets point into it */
	struct slice secrets[SECRETS_MAX];
	unsigned count;
	struct stat seen; /* the file as it was read */
	struct deliveries deliveries;
};

struct hook {
	struct hmac *macs[SECRETS_MAX];
	unsigned count;
	unsigned char given[SHA256_LEN];
	struct payload payload;
	int64_t bytes;
};

/*
 * Secrets.
 */

static void
split_secrets(struct webhooks *w)
{
	char *at = w->text;

	w->count = 0;
	while (*at != '\0' && w->count < SECRETS_MAX) {
		size_t n = strcspn(at, "\r\n");

		if (n > 0)
			w->secrets[w->count++] = (struct slice){ at, n };
		at += n + strspn(at + n, "\r\n");
	}
}

/* What cannot be read leaves the secrets that are known. */
static int
read_secrets(struct webhooks *w, struct err_info *ei)
{
	struct stat now;
	char *text = NULL;
	int rc;

	if (stat(w->secret_file, &now) != 0)
		return err_set(ei, ERR_NOENT, "%s: not there", w->secret_file);
	if (w->text != NULL && now.st_ino == w->seen.st_ino && now.st_size == w->seen.st_size &&
	    now.st_mtim.tv_sec == w->seen.st_mtim.tv_sec &&
	    now.st_mtim.tv_nsec == w->seen.st_mtim.tv_nsec)
		return 0;
	w->seen = now; /* one complaint for each change */
	rc = conf_read_secret(w->secret_file, &text, ei);
	if (rc != 0)
		return rc;
	mem_free(w->text);
	w->text = text;
	split_secrets(w);
	return 0;
}

int
webhooks_new(const char *secret_file, struct webhooks **ret, struct err_info *ei)
{
	struct webhooks *w = mem_zalloc(sizeof(*w));
	int rc = 0;

	if (w == NULL)
		return ERR_NOMEM;
	w->secret_file = secret_file;
	if (secret_file != NULL)
		rc = read_secrets(w, ei);
	if (rc == 0)
		*ret = w;
	else
		webhooks_free(w);
	return rc;
}

void
webhooks_free(struct webhooks *w)
{
	if (w == NULL)
		return;
	mem_free(w->text);
	mem_free(w);
}

/*
 * One delivery.
 */

static void
clear_hook(struct hook *h)
{
	for (unsigned i = 0; i < h->count; i++)
		hmac_free(h->macs[i]);
	h->count = 0;
	payload_clear(&h->payload);
}

static void
refuse(struct call *c, enum webhook_result r, int status, const char *message)
{
	if (c->part != NULL)
		clear_hook(c->part);
	c->rt->metrics.webhooks[r]++;
	call_error(c, OUTCOME_BAD_REQUEST, status, message, NULL);
	call_release(c);
}

static void
accept_hook(struct call *c, enum webhook_result r, const char *result)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "{\"result\":\"%s\"}", result);

	clear_hook(c->part);
	c->rt->metrics.webhooks[r]++;
	call_answer(
	    c, OUTCOME_OWN, 202, "application/json", NULL, (struct slice){ text, (size_t)n });
	call_release(c);
}

/* Every secret is tried, and each comparison takes as long as any other. */
static bool
signature_is_right(struct hook *h)
{
	bool right = false;

	for (unsigned i = 0; i < h->count; i++) {
		unsigned char want[SHA256_LEN];

		if (hmac_end(h->macs[i], want) == 0)
			right |= digest_equal(want, h->given, SHA256_LEN);
	}
	return right;
}

static void
poke_repository(struct call *c, const char *name)
{
	const char *slash = strchr(name, '/');
	struct backend *b;
	int rc = table_backend(&c->rt->table, &c->rt->backend_opts,
	    (struct slice){ name, (size_t)(slash - name) }, slice_str(slash + 1), &b, NULL);

	if (rc != 0) {
		accept_hook(c, HOOK_NOT_TRACKED, "not_tracked");
		return;
	}
	c->backend = b; /* for the log line */
	backend_hold(b);
	poke_sync(c->rt, b); /* goes on by itself */
	accept_hook(c, HOOK_POKED, "poked");
}

static void
take_payload(struct call *c)
{
	struct hook *h = c->part;
	char name[REPO_NAME_MAX + 1];
	struct err_info ei = { .text = "" };
	int rc;

	if (!signature_is_right(h)) {
		refuse(c, HOOK_BAD_SIGNATURE, 401, "X-Hub-Signature-256 is not right");
		return;
	}
	if (deliveries_seen(&c->rt->webhooks->deliveries,
		fcgi_request_param(c->req, "HTTP_X_GITHUB_DELIVERY"))) {
		accept_hook(c, HOOK_DUPLICATE, "duplicate");
		return;
	}
	rc = payload_name(&h->payload, name, &ei);
	if (rc == 0)
		poke_repository(c, name);
	else if (rc == ERR_NOENT)
		accept_hook(c, HOOK_NO_REPOSITORY, "no_repository");
	else
		refuse(c, HOOK_BAD_PAYLOAD, 400, ei.text[0] != '\0' ? ei.text : err_name(rc));
}

static void
on_body(struct fcgi_request *req, struct slice piece, bool last)
{
	struct call *c = fcgi_request_data(req);
	struct hook *h = c->part;

	h->bytes += (int64_t)piece.len;
	if (h->bytes > WEBHOOK_BYTES_MAX) {
		refuse(c, HOOK_TOO_LARGE, 413, "the payload is longer than 25 MiB");
		return;
	}
	for (unsigned i = 0; i < h->count && piece.len > 0; i++)
		hmac_add(h->macs[i], piece);
	payload_add(&h->payload, piece);
	if (last)
		take_payload(c);
}

static void
on_abort(struct fcgi_request *req)
{
	struct call *c = fcgi_request_data(req);

	clear_hook(c->part);
	c->status = 499;
	call_ended(c, OUTCOME_CLIENT_GONE);
	call_release(c);
}

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
parse_signature(struct slice s, unsigned char out[SHA256_LEN])
{
	static const char prefix[] = "sha256=";
	size_t n = sizeof(prefix) - 1;

	if (s.len != n + 2 * (size_t)SHA256_LEN || memcmp(s.ptr, prefix, n) != 0)
		return false;
	for (size_t i = 0; i < SHA256_LEN; i++) {
		int high = hex_digit(s.ptr[n + 2 * i]), low = hex_digit(s.ptr[n + 2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (unsigned char)(16 * high + low);
	}
	return true;
}

static int
start_macs(struct hook *h, const struct webhooks *w)
{
	int rc = 0;

	for (unsigned i = 0; i < w->count && rc == 0; i++) {
		rc = hmac_new(w->secrets[i], &h->macs[i]);
		h->count += rc == 0;
	}
	return rc;
}

static bool
is_json(struct slice type)
{
	static const char json[] = "application/json";

	return type.len >= sizeof(json) - 1 && memcmp(type.ptr, json, sizeof(json) - 1) == 0;
}

static bool
is_too_long(struct slice length)
{
	int64_t n = 0;

	for (size_t i = 0; i < length.len && n <= WEBHOOK_BYTES_MAX; i++)
		n = 10 * n + (length.ptr[i] - '0');
	return n > WEBHOOK_BYTES_MAX;
}

void
webhook_start(struct call *c)
{
	struct webhooks *w = c->rt->webhooks;
	struct hook *h = arena_alloc(fcgi_request_arena(c->req), sizeof(*h));
	struct err_info ei = { .text = "" };

	if (w->secret_file != NULL && read_secrets(w, &ei) != 0)
		log_error("webhook secrets cannot be read; the old ones hold",
		    LOG_S("error", ei.text), LOG_END);
	if (h == NULL || w->count == 0) {
		refuse(c, HOOK_BAD_REQUEST, h == NULL ? 500 : 403,
		    h == NULL ? "out of memory" : "webhooks are not configured here");
		return;
	}
	if (!parse_signature(
		fcgi_request_param(c->req, "HTTP_X_HUB_SIGNATURE_256"), h->given)) {
		refuse(
		    c, HOOK_BAD_SIGNATURE, 401, "X-Hub-Signature-256 is missing or malformed");
		return;
	}
	if (is_too_long(fcgi_request_param(c->req, "CONTENT_LENGTH"))) {
		refuse(c, HOOK_TOO_LARGE, 413, "the payload is longer than 25 MiB");
		return;
	}
	if (!is_json(fcgi_request_param(c->req, "CONTENT_TYPE"))) {
		refuse(c, HOOK_BAD_REQUEST, 415,
		    "webhooks must be sent as application/json: see the hook's settings");
		return;
	}
	payload_init(&h->payload);
	c->part = h;
	if (start_macs(h, w) != 0) {
		refuse(c, HOOK_BAD_REQUEST, 500, "out of memory");
		return;
	}
	fcgi_request_on_body(c->req, on_body);
	fcgi_request_on_abort(c->req, on_abort);
	fcgi_request_defer(c->req, 0, NULL);
}
