/* http_curl.c - the HTTP client over libcurl; no other file knows curl. */
#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/http.h"
#include "base/mem.h"

#define POLL_MS 1000

struct http_curl {
	struct http base;
	CURLM *multi;
	CURL *easy;
	struct cancel cancel;
	const char *user_agent;
	const char *ca_file;
	struct http_tls tls;
	char reason[CURL_ERROR_SIZE]; /* why a certificate was refused */
};

/* What the callbacks of one transfer need. */
struct transfer {
	struct http_response *res;
	const struct http_request *req;
	CURL *easy;
	bool over_limit;
	int taker_err; /* what the request's on_body said */
};

static size_t
on_body(char *data, size_t one, size_t len, void *ctx)
{
	struct transfer *t = ctx;
	long status = 0;

	(void)one;
	if (t->req->on_body != NULL &&
	    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK &&
	    http_status_err((int)status) == 0) {
		t->taker_err = t->req->on_body(t->req->body_ctx, (struct slice){ data, len });
		return t->taker_err == 0 ? len : CURL_WRITEFUNC_ERROR;
	}
	buf_add(&t->res->body, data, len);
	if (buf_err(&t->res->body) == 0)
		return len;
	t->over_limit = buf_err(&t->res->body) == ERR_LIMIT;
	return CURL_WRITEFUNC_ERROR;
}

static size_t
on_header(char *line, size_t one, size_t len, void *ctx)
{
	struct transfer *t = ctx;
	const char *colon = memchr(line, ':', len);
	size_t end = len;

	(void)one;
	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0)
		buf_reset(&t->res->headers); /* of an interim answer */
	while (end > 0 && (line[end - 1] == '\r' || line[end - 1] == '\n'))
		end--;
	if (colon == NULL || end == 0)
		return len;
	for (const char *p = line; p < colon; p++)
		buf_char(&t->res->headers, (char)tolower((unsigned char)*p));
	buf_add(&t->res->headers, colon, end - (size_t)(colon - line));
	buf_char(&t->res->headers, '\n');
	return buf_err(&t->res->headers) == 0 ? len : 0;
}

static struct curl_slist *
header_list(const struct http_header *headers)
{
	struct curl_slist *list = NULL;
	struct buf line;

	buf_init(&line, (size_t)64 << 10);
	for (; headers != NULL && headers->name != NULL; headers++) {
		struct curl_slist *longer;

		buf_reset(&line);
		buf_fmt(&line, "%s: %s", headers->name, headers->value);
		longer = buf_cstr(&line) == NULL ? NULL : curl_slist_append(list, line.ptr);
		if (longer == NULL) {
			curl_slist_free_all(list);
			list = NULL;
			break;
		}
		list = longer;
	}
	buf_clear(&line);
	return list;
}

static void
set_method(CURL *e, const struct http_request *req)
{
	if (req->body.ptr != NULL) {
		curl_easy_setopt(e, CURLOPT_POST, 1L);
		curl_easy_setopt(e, CURLOPT_POSTFIELDS, req->body.ptr);
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body.len);
	}
	if (req->method != NULL)
		curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, req->method);
}

static long
or_default(int64_t ms, long otherwise)
{
	return ms > 0 ? (long)ms : otherwise;
}

static void
set_blob(CURL *e, CURLoption option, const char *pem)
{
	struct curl_blob blob = { .flags = CURL_BLOB_NOCOPY };

	if (pem == NULL)
		return;
	blob.data = (void *)(uintptr_t)pem;
	blob.len = strlen(pem);
	curl_easy_setopt(e, option, &blob);
}

static void
set_options(struct http_curl *c, const struct http_request *req, struct transfer *t,
    struct curl_slist *headers)
{
	CURL *e = c->easy;

	curl_easy_reset(e);
	curl_easy_setopt(e, CURLOPT_URL, req->url);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	/* Else giving up, or a deadline, waits for a thread of curl's that asks a dead DNS server. */
	curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(e, CURLOPT_USERAGENT, c->user_agent);
	curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, req->fresh ? 1L : 0L);
	if (!req->identity)
		curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, or_default(req->connect_ms, 10000));
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, or_default(req->total_ms, 300000));
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(
	    e, CURLOPT_LOW_SPEED_TIME, (or_default(req->stall_ms, 30000) + 999) / 1000);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
	c->reason[0] = '\0';
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->reason);
	if (c->ca_file != NULL)
		curl_easy_setopt(e, CURLOPT_CAINFO, c->ca_file);
	set_blob(e, CURLOPT_CAINFO_BLOB, c->tls.ca_pem);
	set_blob(e, CURLOPT_SSLCERT_BLOB, c->tls.cert_pem);
	set_blob(e, CURLOPT_SSLKEY_BLOB, c->tls.key_pem);
	set_method(e, req);
}

/* Wait for the transfer; *ret_code is curl's verdict. */
static int
run(struct http_curl *c, CURLcode *ret_code)
{
	struct curl_waitfd wake = { .fd = c->cancel.fd, .events = CURL_WAIT_POLLIN };
	unsigned wakes = c->cancel.fd >= 0 ? 1 : 0;
	int running = 1, left;
	CURLMsg *m;

	while (running > 0) {
		if (curl_multi_perform(c->multi, &running) != CURLM_OK)
			return ERR_IO;
		if (running == 0)
			break;
		wake.revents = 0;
		if (curl_multi_poll(c->multi, &wake, wakes, POLL_MS, NULL) != CURLM_OK)
			return ERR_IO;
		if (wake.revents != 0 && c->cancel.check(c->cancel.ctx))
			return ERR_CANCELED;
	}
	while ((m = curl_multi_info_read(c->multi, &left)) != NULL) {
		if (m->msg == CURLMSG_DONE)
			*ret_code = m->data.result;
	}
	return 0;
}

static int
curl_err(CURLcode code, const struct transfer *t, const char *url)
{
	if (t->taker_err != 0)
		return t->taker_err;
	if (t->over_limit)
		return ERR_LIMIT;
	if (buf_err(&t->res->body) == ERR_NOMEM || buf_err(&t->res->headers) == ERR_NOMEM)
		return ERR_NOMEM;
	switch (code) {
	case CURLE_OK:
		return 0;
	case CURLE_UNSUPPORTED_PROTOCOL: /* the URL's, or what came is not HTTP */
		return strncasecmp(url, "http", 4) == 0 ? ERR_PROTO : ERR_INVAL;
	case CURLE_URL_MALFORMAT:
	case CURLE_SSL_CACERT_BADFILE:
		return ERR_INVAL;
	case CURLE_OPERATION_TIMEDOUT:
		return ERR_TIMEOUT;
	case CURLE_OUT_OF_MEMORY:
		return ERR_NOMEM;
	case CURLE_PEER_FAILED_VERIFICATION:
		return ERR_DENIED;
	default:
		return ERR_CLOSED;
	}
}

/* The URL without what stands behind '?' or before '@': it goes into messages. */
static int
describe(struct err_info *ei, int rc, const char *url, const char *why)
{
	const char *at = strchr(url, '@');

	return err_set(ei, rc, "%.*s: %s", (int)strcspn(at != NULL ? "(url)" : url, "?"),
	    at != NULL ? "(url)" : url, why);
}

/* Of certificates curl's own text tells more than the code's. */
static const char *
reason_of(const struct http_curl *c, CURLcode code)
{
	if ((code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE) &&
	    c->reason[0] != '\0')
		return c->reason;
	return curl_easy_strerror(code);
}

static int
curl_perform(struct http *h, const struct http_request *req, struct http_response *res,
    struct err_info *ei)
{
	struct http_curl *c = (struct http_curl *)h;
	struct transfer t = { .res = res, .req = req, .easy = c->easy };
	struct curl_slist *headers = header_list(req->headers);
	CURLcode code = CURLE_OK;
	long status = 0;
	int rc;

	if (headers == NULL && req->headers != NULL && req->headers->name != NULL)
		return ERR_NOMEM;
	set_options(c, req, &t, headers);
	if (curl_multi_add_handle(c->multi, c->easy) != CURLM_OK)
		rc = ERR_NOMEM;
	else
		rc = run(c, &code);
	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_multi_remove_handle(c->multi, c->easy);
	curl_slist_free_all(headers);
	res->status = (int)status;
	if (rc == 0)
		rc = curl_err(code, &t, req->url);
	if (rc != 0)
		return describe(ei, rc, req->url,
		    rc == ERR_CANCELED ? "canceled"
		    : t.over_limit     ? "the answer is larger than its limit"
		    : code != CURLE_OK ? reason_of(c, code)
				       : err_name(rc));
	return 0;
}

static void
curl_free_client(struct http *h)
{
	struct http_curl *c = (struct http_curl *)h;

	if (c->easy != NULL)
		curl_easy_cleanup(c->easy);
	if (c->multi != NULL)
		curl_multi_cleanup(c->multi);
	mem_free(c);
}

static void
global_init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

int
http_curl_new(const char *user_agent, const char *ca_file, const struct cancel *cancel,
    struct http **ret, struct err_info *ei)
{
	static const struct http_ops ops = { curl_perform, curl_free_client };
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct http_curl *c;

	if (ca_file != NULL && access(ca_file, R_OK) != 0)
		return err_set(
		    ei, err_from_errno(errno), "certificates %s: %s", ca_file, strerror(errno));
	c = mem_zalloc(sizeof(*c));
	if (c == NULL)
		return ERR_NOMEM;
	pthread_once(&once, global_init);
	c->base.ops = &ops;
	c->user_agent = user_agent;
	c->ca_file = ca_file;
	c->cancel = cancel != NULL ? *cancel : (struct cancel){ .fd = -1 };
	c->multi = curl_multi_init();
	c->easy = curl_easy_init();
	if (c->multi == NULL || c->easy == NULL) {
		curl_free_client(&c->base);
		return err_set(ei, ERR_NOMEM, "curl could not be set up");
	}
	*ret = &c->base;
	return 0;
}

int
http_curl_new_tls(const char *user_agent, const struct http_tls *tls,
    const struct cancel *cancel, struct http **ret, struct err_info *ei)
{
	int rc = http_curl_new(user_agent, NULL, cancel, ret, ei);

	if (rc == 0)
		((struct http_curl *)*ret)->tls = *tls;
	return rc;
}
