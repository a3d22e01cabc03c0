/*
 * fuzz_router_payload.c - webhook payloads: the name does not depend on how the bytes are
 * cut, and of well-formed JSON it is the one that a whole parser finds.
 */
#include <stdlib.h>

#include "base/json.h"
#include "router/payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
read_in_steps(struct slice text, size_t step, char name[REPO_NAME_MAX + 1])
{
	struct payload p;
	int rc;

	payload_init(&p);
	for (size_t at = 0; at < text.len; at += step)
		payload_add(&p, (struct slice){ text.ptr + at,
				    text.len - at < step ? text.len - at : step });
	rc = payload_name(&p, name, NULL);
	payload_clear(&p);
	return rc;
}

/* A key may be written with escapes, which GitHub does not do and we do not follow. */
static bool
has_escapes(struct slice text)
{
	return memchr(text.ptr, '\\', text.len) != NULL;
}

static void
check_against_parser(struct slice text, const char *name, int rc)
{
	json_t *doc = NULL;
	const char *want;

	if (text.len > PAYLOAD_KEPT_MAX || json_in_parse(text, "x", &doc, NULL) != 0)
		return;
	want =
	    json_string_value(json_object_get(json_object_get(doc, "repository"), "full_name"));
	if (json_is_object(doc) && rc == 0 && (want == NULL || strcmp(want, name) != 0))
		abort();
	if (json_is_object(doc) && json_object_get(doc, "repository") == NULL &&
	    rc != ERR_NOENT)
		abort();
	json_decref(doc);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	char one[REPO_NAME_MAX + 1] = "", other[REPO_NAME_MAX + 1] = "";
	int rc;

	if (size == 0)
		return 0;
	rc = read_in_steps(text, 1, one);
	if (read_in_steps(text, 1 + size / 3, other) != rc || strcmp(one, other) != 0)
		abort();
	if (rc == 0 && strchr(one, '/') == NULL)
		abort();
	if (!has_escapes(text))
		check_against_parser(text, one, rc);
	return 0;
}
