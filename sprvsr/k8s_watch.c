/* k8s_watch.c - see k8s_watch.h; must not know what the objects are for. */
#include "sprvsr/k8s_watch.h"

#include <stdio.h>

#define WATCH_S 300
#define STALL_MS 90000 /* bookmarks come about every minute; without a byte, ask anew */
#define BACKOFF_MS 250
#define BACKOFF_MAX_MS 15000
#define SHORT_MS 1000 /* a watch that ended sooner is followed by a pause */

void
k8s_watch_init(struct k8s_watch *w, struct k8s_client *client, const char *path,
    const struct k8s_watch_events *events, void *ctx)
{
	*w = (struct k8s_watch){ .client = client, .path = path, .events = events, .ctx = ctx };
	buf_init(&w->line, K8S_EVENT_MAX);
}

void
k8s_watch_clear(struct k8s_watch *w)
{
	buf_clear(&w->line);
}

static const char *
meta_text(const json_t *object, const char *key)
{
	const char *text =
	    json_string_value(json_object_get(json_object_get(object, "metadata"), key));

	return text != NULL ? text : "";
}

static int
take_version(struct k8s_watch *w, const json_t *object, struct err_info *ei)
{
	const char *version = meta_text(object, "resourceVersion");

	if (version[0] == '\0' || strlen(version) >= sizeof(w->version))
		return err_set(ei, ERR_PROTO, "%s: no usable resourceVersion", w->path);
	snprintf(w->version, sizeof(w->version), "%s", version);
	return 0;
}

static int
put_page(struct k8s_watch *w, const json_t *page, struct err_info *ei)
{
	const json_t *items = json_object_get(page, "items");
	int rc = 0;

	if (!json_is_array(items) && !json_is_null(items))
		return err_set(ei, ERR_PROTO, "%s: \"items\" is not an array", w->path);
	for (size_t i = 0; i < json_array_size(items) && rc == 0; i++)
		rc = w->events->put(w->ctx, json_array_get(items, i), ei);
	return rc;
}

int
k8s_list(struct k8s_watch *w, struct err_info *ei)
{
	struct buf path, next;
	bool more = true;
	int rc = 0;

	buf_init(&path, 16384);
	buf_init(&next, 8192);
	w->events->list_begin(w->ctx);
	while (more && rc == 0) {
		struct k8s_call call = { .verb = "list", .method = "GET", .total_ms = 60000 };
		json_t *page = NULL;

		buf_reset(&path);
		buf_fmt(&path, "%s?limit=%d", w->path, K8S_PAGE);
		if (next.len > 0) {
			buf_str(&path, "&continue=");
			http_encode(&path, buf_cstr(&next));
		}
		call.path = buf_cstr(&path);
		rc = call.path != NULL ? k8s_ask_json(w->client, &call, &page, ei)
				       : buf_err(&path);
		if (rc == 0)
			rc = put_page(w, page, ei);
		if (rc == 0)
			rc = take_version(w, page, ei);
		buf_reset(&next);
		buf_str(&next, rc == 0 ? meta_text(page, "continue") : "");
		if (rc == 0)
			rc = buf_err(&next);
		more = next.len > 0;
		json_decref(page);
	}
	if (rc == 0)
		w->events->list_end(w->ctx);
	else
		w->version[0] = '\0';
	buf_clear(&path);
	buf_clear(&next);
	return rc;
}

/* ERROR carries a Status; 410 means that the versions in between are forgotten. */
static int
stream_error(struct k8s_watch *w, const json_t *status)
{
	const char *message = json_string_value(json_object_get(status, "message"));
	int code = (int)json_integer_value(json_object_get(status, "code"));

	return err_set(&w->ei, code == 410 ? ERR_GONE : ERR_UNAVAILABLE, "%s: watch: %d %s",
	    w->path, code, message != NULL ? message : "");
}

static int
take_event(struct k8s_watch *w, const json_t *event)
{
	const char *type = json_string_value(json_object_get(event, "type"));
	const json_t *object = json_object_get(event, "object");
	int rc = 0;

	if (type == NULL || !json_is_object(object))
		return err_set(&w->ei, ERR_PROTO, "%s: watch: no event", w->path);
	if (strcmp(type, "ERROR") == 0)
		return stream_error(w, object);
	if (strcmp(type, "ADDED") == 0 || strcmp(type, "MODIFIED") == 0)
		rc = w->events->put(w->ctx, object, &w->ei);
	else if (strcmp(type, "DELETED") == 0)
		w->events->removed(w->ctx, object);
	else if (strcmp(type, "BOOKMARK") != 0)
		return err_set(
		    &w->ei, ERR_PROTO, "%s: watch: unknown event \"%.40s\"", w->path, type);
	return rc != 0 ? rc : take_version(w, object, &w->ei);
}

static int
take_line(struct k8s_watch *w)
{
	json_t *event = NULL;
	int rc;

	if (buf_err(&w->line) != 0)
		return err_set(&w->ei, buf_err(&w->line),
		    "%s: watch: an event of more than %zu bytes", w->path, K8S_EVENT_MAX);
	if (w->line.len == 0)
		return 0;
	rc = json_in_parse(buf_view(&w->line), "watch event", &event, &w->ei);
	if (rc == 0)
		rc = take_event(w, event);
	json_decref(event);
	buf_reset(&w->line);
	return rc;
}

int
k8s_watch_feed(struct k8s_watch *w, struct slice piece)
{
	while (piece.len > 0) {
		const char *end = memchr(piece.ptr, '\n', piece.len);
		size_t n = end != NULL ? (size_t)(end - piece.ptr) : piece.len;
		int rc = 0;

		buf_add(&w->line, piece.ptr, n);
		if (end != NULL || buf_err(&w->line) != 0)
			rc = take_line(w);
		if (rc != 0)
			return rc;
		n += end != NULL;
		piece.ptr += n;
		piece.len -= n;
	}
	return 0;
}

static int
on_piece(void *ctx, struct slice piece)
{
	struct k8s_watch *w = ctx;

	w->stream_err = k8s_watch_feed(w, piece);
	return w->stream_err;
}

static int
watch_once(struct k8s_watch *w)
{
	struct k8s_call call = { .verb = "watch",
		.method = "GET",
		.tries = 1,
		.stall_ms = STALL_MS,
		.total_ms = (WATCH_S + 30) * INT64_C(1000),
		.on_body = on_piece,
		.body_ctx = w };
	struct err_info ei = { .text = "" };
	struct buf path;
	int rc;

	buf_init(&path, 16384);
	buf_fmt(&path,
	    "%s?watch=true&allowWatchBookmarks=true&timeoutSeconds=%d&resourceVersion=",
	    w->path, WATCH_S);
	http_encode(&path, w->version);
	call.path = buf_cstr(&path);
	buf_reset(&w->line);
	w->stream_err = 0;
	rc = call.path != NULL ? k8s_ask(w->client, &call, NULL, &ei) : buf_err(&path);
	if (rc != 0 && w->stream_err == 0)
		w->ei = ei; /* the transfer's own text; else the stream's tells more */
	buf_clear(&path);
	return rc;
}

/* What a failure means for the next turn. */
static void
note_failure(struct k8s_watch *w, int rc)
{
	if (rc == ERR_GONE || rc == ERR_PROTO || rc == ERR_LIMIT || rc == ERR_NOMEM)
		w->version[0] = '\0'; /* list again */
	w->events->trouble(w->ctx, rc, w->ei.text[0] != '\0' ? w->ei.text : err_name(rc));
}

/* Before the next turn: ever longer, and no less than the server asked for. */
static int64_t
pause_ms(const struct k8s_watch *w, unsigned failures)
{
	int64_t ms = (int64_t)BACKOFF_MS << (failures < 7 ? failures : 7);

	if (ms > BACKOFF_MAX_MS)
		ms = BACKOFF_MAX_MS;
	return w->ei.retry_after_ms + ms / 2 + (int64_t)((double)ms * k8s_random());
}

int
k8s_watch_run(struct k8s_watch *w)
{
	unsigned failures = 0;

	for (;;) {
		bool list = w->version[0] == '\0';
		int64_t begun = clock_mono_ms();
		int rc;

		w->ei = (struct err_info){ .text = "" };
		rc = list ? k8s_list(w, &w->ei) : watch_once(w);

		if (rc == ERR_CANCELED)
			return rc;
		if (rc != 0)
			note_failure(w, rc);
		/* A watch that lasted was a good one, however it ended. */
		if (rc == 0 && (list || clock_mono_ms() - begun >= SHORT_MS)) {
			failures = 0;
			continue;
		}
		if (clock_mono_ms() - begun >= SHORT_MS * INT64_C(10))
			failures = 0;
		if (k8s_wait(w->client, pause_ms(w, failures++)) != 0)
			return ERR_CANCELED;
	}
}
