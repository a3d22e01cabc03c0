/* fcgi_ask.c - see fcgi_ask.h. */
#include "tools/fcgi_ask.h"

#include <stdio.h>

#include "base/fcgi/client.h"
#include "base/http.h"

#define ANSWER_BYTES_MAX ((size_t)16 << 20)

/* What an error's JSON says, or "". */
static void
message_of(struct slice body, char *out, size_t size)
{
	json_t *doc = NULL;
	const char *text = NULL;

	out[0] = '\0';
	if (json_in_parse(body, "answer", &doc, NULL) != 0)
		return;
	text = json_string_value(json_object_get(doc, "message"));
	snprintf(out, size, ": %.200s", text != NULL ? text : "");
	json_decref(doc);
}

static int
judge(const struct fcgi_question *q, int status, struct slice body, struct err_info *ei)
{
	char message[256];
	int rc = http_status_err(status);

	if (rc == 0)
		return 0;
	message_of(body, message, sizeof(message));
	if (rc == ERR_AUTH && q->secret != NULL)
		return err_set(ei, rc, "%s refuses the secret of --internal-secret-file%s",
		    q->who, message);
	return err_set(ei, rc, "%s answers %d%s", q->who, status, message);
}

int
fcgi_ask(const struct fcgi_question *q, json_t **ret, int *ret_status, struct err_info *ei)
{
	struct fcgi_pair params[FCGI_CALL_PARAMS + 2];
	char length[24];
	struct buf answer;
	struct cgi_head head;
	struct slice body;
	size_t n;
	int rc;

	snprintf(length, sizeof(length), "%zu", q->body.len);
	n = fcgi_call_params(q->method, q->target, length, params);
	if (q->secret != NULL)
		params[n++] =
		    (struct fcgi_pair){ SLICE("HTTP_X_MAINTNER_SECRET"), slice_str(q->secret) };
	buf_init(&answer, ANSWER_BYTES_MAX);
	rc = fcgi_call(q->addr, params, n, q->body, q->timeout_ms, &answer, &head, ei);
	if (rc != 0) {
		rc = err_wrap(ei, rc, "%s cannot be asked", q->who);
	} else {
		body = (struct slice){ answer.ptr + head.bytes, answer.len - head.bytes };
		rc = judge(q, head.status, body, ei);
		if (rc == 0)
			rc = json_in_parse(body, q->who, ret, ei);
		if (rc == 0 && ret_status != NULL)
			*ret_status = head.status;
	}
	buf_clear(&answer);
	return rc;
}
