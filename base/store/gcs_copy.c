/* gcs_copy.c - server-side copies (rewrite, compose) and buckets. */
#include <stdio.h>
#include <string.h>

#include "base/json_text.h"
#include "base/store/gcs.h"

#define REWRITE_TOKEN_MAX 2048

static void
add_path(struct buf *b, const char *before, const struct gcs *g, const char *name)
{
	buf_str(b, before);
	http_encode(b, g->bucket);
	buf_str(b, "/o/");
	http_encode(b, g->prefix);
	http_encode(b, name);
}

/* One call of a rewrite; large objects and other locations take several. */
static int
rewrite_step(struct gcs *from, const char *path, const char *condition, char *token,
    struct gcs_patience *p, bool once, json_t **ret, struct err_info *ei)
{
	char url[GCS_URL_MAX];
	struct gcs_call c = { .method = "POST",
		.url = url,
		.content_type = "application/json",
		.body = SLICE("{}"),
		.once = once };
	struct buf encoded;
	int rc;

	buf_init(&encoded, GCS_URL_MAX);
	http_encode(&encoded, token);
	rc = gcs_url(from, url, "%s%s%s%s", path, condition,
	    token[0] == '\0'       ? ""
	    : condition[0] == '\0' ? "?rewriteToken="
				   : "&rewriteToken=",
	    token[0] == '\0' ? "" : buf_cstr(&encoded));
	buf_clear(&encoded);
	return rc == 0 ? gcs_call_json(from, &c, p, ret, ei) : rc;
}

static int
rewrite_all(struct gcs *from, const char *path, int64_t if_generation, struct gcs_patience *p,
    int64_t *ret_generation, struct err_info *ei)
{
	char token[REWRITE_TOKEN_MAX] = "", condition[48];

	gcs_condition(if_generation, '?', condition);
	for (;;) {
		struct json_in in = { .what = "rewrite answer", .ei = ei };
		struct gcs_object o;
		json_t *doc;
		int rc = rewrite_step(
		    from, path, condition, token, p, if_generation == STORE_ANY, &doc, ei);
		bool done;

		if (rc != 0)
			return rc;
		done = json_in_bool(&in, doc, "done");
		if (done)
			rc = gcs_object_parse(json_object_get(doc, "resource"), &o, ei);
		else
			snprintf(
			    token, sizeof(token), "%s", json_in_str(&in, doc, "rewriteToken"));
		json_decref(doc);
		if (in.err != 0)
			return in.err;
		if (rc == 0 && done)
			*ret_generation = o.object.generation;
		if (rc != 0 || done)
			return rc;
		*p = gcs_patience(from); /* it moves: the deadline is for a standstill */
	}
}

int
gcs_copy(struct store *from, const char *name, struct store *to, const char *to_name,
    int64_t if_generation, int64_t *ret_generation, struct err_info *ei)
{
	struct gcs *a = (struct gcs *)from, *b = (struct gcs *)to;
	struct gcs_patience p = gcs_patience(a);
	struct gcs_object source;
	struct buf path;
	int rc = gcs_stat(a, name, &source, ei);

	if (rc == 0)
		rc = gcs_pace(b, to_name);
	if (rc != 0)
		return rc;
	buf_init(&path, GCS_URL_MAX);
	add_path(&path, "/storage/v1/b/", a, name);
	add_path(&path, "/rewriteTo/b/", b, to_name);
	rc = buf_cstr(&path) == NULL ? buf_err(&path) : 0;
	if (rc == 0)
		rc = rewrite_all(a, path.ptr, if_generation, &p, ret_generation, ei);
	buf_clear(&path);
	if (rc != 0 && p.tries > 1 && if_generation != STORE_ANY) {
		struct gcs_object there;

		/* A lost answer: the copy is there if it is what the source is. */
		if (gcs_stat(b, to_name, &there, NULL) == 0 &&
		    there.object.generation != if_generation &&
		    there.object.size == source.object.size &&
		    strcmp(there.crc32c, source.crc32c) == 0) {
			*ret_generation = there.object.generation;
			return 0;
		}
	}
	return rc;
}

static void
add_sources(const struct gcs *g, const char *const *names, size_t count, struct buf *b)
{
	buf_str(b, "{\"sourceObjects\":[");
	for (size_t i = 0; i < count; i++) {
		buf_str(b, i > 0 ? ",{\"name\":\"" : "{\"name\":\"");
		json_text_escape(b, slice_str(g->prefix));
		json_text_escape(b, slice_str(names[i]));
		buf_str(b, "\"}");
	}
	buf_str(b, "],\"destination\":{\"contentType\":\"application/octet-stream\"}}");
}

/* The result is durable now: if it is not what it should be, it must not stay. */
static int
check_composed(struct gcs *g, const char *name, const json_t *doc,
    const struct store_content *content, int64_t *ret_generation, struct err_info *ei)
{
	struct gcs_object o;
	char crc[GCS_CRC_TEXT];
	int rc = gcs_object_parse(doc, &o, ei);

	if (rc != 0)
		return rc;
	gcs_crc_text(content->crc32c, crc);
	if (o.object.size != content->size || strcmp(o.crc32c, crc) != 0)
		return err_set(ei, ERR_CORRUPT,
		    "gs://%s/%s%s: composed to %llu bytes with crc32c %s, expected %llu with "
		    "%s",
		    g->bucket, g->prefix, name, (unsigned long long)o.object.size, o.crc32c,
		    (unsigned long long)content->size, crc);
	*ret_generation = o.object.generation;
	return 0;
}

int
gcs_compose(struct store *s, const char *const *names, size_t count,
    const struct store_content *content, const char *to_name, int64_t if_generation,
    int64_t *ret_generation, struct err_info *ei)
{
	struct gcs *g = (struct gcs *)s;
	struct gcs_patience p = gcs_patience(g);
	char url[GCS_URL_MAX], condition[48];
	struct gcs_call c = { .method = "POST",
		.url = url,
		.content_type = "application/json; charset=UTF-8",
		.once = if_generation == STORE_ANY };
	json_t *doc = NULL;
	struct buf body;
	int rc = gcs_pace(g, to_name);

	buf_init(&body, (size_t)256 << 10);
	add_sources(g, names, count, &body);
	c.body = buf_view(&body);
	if (rc == 0)
		rc = buf_err(&body);
	if (rc == 0)
		rc = gcs_object_url(g, to_name, url, "/compose%s",
		    gcs_condition(if_generation, '?', condition));
	if (rc == 0)
		rc = gcs_call_json(g, &c, &p, &doc, ei);
	buf_clear(&body);
	if (rc == 0)
		rc = check_composed(g, to_name, doc, content, ret_generation, ei);
	else
		rc = gcs_settle(g, to_name, if_generation, content, &p, rc, ret_generation, ei);
	json_decref(doc);
	return rc;
}
