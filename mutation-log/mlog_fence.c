/* mlog_fence.c - the record WRITER as a struct and as JSON; does not decide anything. */
#include "mutation-log/mlog_fence.h"

#include <jansson.h>
#include <stdio.h>

#include "base/json_text.h"
#include "base/mem.h"

void
mlog_fence_clear(struct mlog_fence *f)
{
	mem_free(f->holder);
	mem_free(f->sealed);
	*f = (struct mlog_fence){ 0 };
}

int
mlog_fence_resize(struct mlog_fence *f, size_t count)
{
	void *grown;

	if (count > f->sealed_count) {
		grown = mem_realloc(f->sealed, count * sizeof(f->sealed[0]));
		if (grown == NULL)
			return ERR_NOMEM;
		f->sealed = grown;
		memset(f->sealed + f->sealed_count, 0,
		    (count - f->sealed_count) * sizeof(f->sealed[0]));
	}
	f->sealed_count = count;
	return 0;
}

int
mlog_fence_dup(const struct mlog_fence *f, struct mlog_fence *ret)
{
	struct mlog_fence copy = *f;

	copy.sealed = NULL;
	copy.sealed_count = 0;
	copy.holder = mem_strdup(f->holder);
	if (copy.holder == NULL || mlog_fence_resize(&copy, f->sealed_count) != 0) {
		mlog_fence_clear(&copy);
		return ERR_NOMEM;
	}
	if (f->sealed_count > 0)
		memcpy(copy.sealed, f->sealed, f->sealed_count * sizeof(f->sealed[0]));
	*ret = copy;
	return 0;
}

int
mlog_holder_check(const char *holder, struct err_info *ei)
{
	size_t len = strlen(holder);

	if (len == 0 || len > MLOG_HOLDER_MAX)
		return err_set(ei, ERR_INVAL, "holder of %zu bytes (1..%d are allowed)", len,
		    MLOG_HOLDER_MAX);
	for (size_t i = 0; i < len; i++) {
		if (holder[i] < 0x20 || holder[i] > 0x7e)
			return err_set(ei, ERR_INVAL, "holder is not printable ASCII");
	}
	return 0;
}

bool
mlog_fence_names(const struct mlog_fence *f, uint32_t number, const char *sha224)
{
	if (f->has_tail && number == f->tail.number)
		return strcmp(f->tail.sha224, sha224) == 0;
	return number < f->sealed_count && strcmp(f->sealed[number], sha224) == 0;
}

int
mlog_fence_advance(struct mlog_fence *f, const struct mlog_segment *next)
{
	uint32_t begin = f->has_tail ? f->tail.number + 1 : 0;
	bool grown = f->has_tail && !f->next_number && next->number == f->tail.number;

	if (!grown && next->number != begin)
		return ERR_INVAL;
	if (!grown && f->has_tail) {
		int rc = mlog_fence_resize(f, f->tail.number + 1);

		if (rc != 0)
			return rc;
		memcpy(f->sealed[f->tail.number], f->tail.sha224, sizeof(f->tail.sha224));
	}
	f->tail = *next;
	f->has_tail = true;
	f->next_number = false;
	return 0;
}

int
mlog_fence_print(const struct mlog_fence *f, struct buf *into)
{
	buf_fmt(into, "{\"epoch\":%lld,\"holder\":", (long long)f->epoch);
	json_text_quote(into, slice_str(f->holder));
	buf_fmt(into, ",\"released\":%s,\"lease_s\":%lld", f->released ? "true" : "false",
	    (long long)f->lease_s);
	if (f->has_tail)
		buf_fmt(into, ",\"tail\":{\"number\":%u,\"size\":%llu,\"sha224\":\"%s\"}",
		    (unsigned)f->tail.number, (unsigned long long)f->tail.size, f->tail.sha224);
	else
		buf_str(into, ",\"tail\":null");
	if (f->nonce[0] != '\0')
		buf_fmt(into, ",\"nonce\":\"%s\"", f->nonce);
	if (f->next_number)
		buf_str(into, ",\"next_number\":true");
	for (size_t i = 0; i < f->sealed_count; i++)
		buf_fmt(into, "%s\"%s\"", i == 0 ? ",\"sealed\":[" : ",", f->sealed[i]);
	buf_str(into, f->sealed_count > 0 ? "]}\n" : "}\n");
	return buf_err(into);
}

static int
bad(struct err_info *ei, const char *member, const char *want)
{
	return err_set(ei, ERR_CORRUPT, "member %s is not %s", member, want);
}

static int
take_number(const json_t *from, const char *member, int64_t low, int64_t high, int64_t *ret,
    struct err_info *ei)
{
	const json_t *v = json_object_get(from, member);
	int64_t number;
	char want[64];

	snprintf(
	    want, sizeof(want), "an integer in %lld..%lld", (long long)low, (long long)high);
	if (!json_is_integer(v))
		return bad(ei, member, want);
	number = (int64_t)json_integer_value(v);
	if (number < low || number > high)
		return bad(ei, member, want);
	*ret = number;
	return 0;
}

static int
take_bool(const json_t *from, const char *member, bool required, bool *ret, struct err_info *ei)
{
	const json_t *v = json_object_get(from, member);

	if (v == NULL && !required) {
		*ret = false;
		return 0;
	}
	if (!json_is_boolean(v))
		return bad(ei, member, "true or false");
	*ret = json_is_true(v);
	return 0;
}

/* Exactly `len` lower-case hex digits; `out` has room for a NUL, too. */
static int
take_hex(const json_t *v, const char *member, size_t len, char *out, struct err_info *ei)
{
	const char *text = json_string_value(v);

	if (text == NULL || json_string_length(v) != len ||
	    strspn(text, "0123456789abcdef") != len)
		return bad(ei, member, "a row of lower-case hex digits of the right length");
	memcpy(out, text, len + 1);
	return 0;
}

static int
take_holder(const json_t *from, struct mlog_fence *f, struct err_info *ei)
{
	const json_t *v = json_object_get(from, "holder");

	if (!json_is_string(v) || strlen(json_string_value(v)) != json_string_length(v) ||
	    mlog_holder_check(json_string_value(v), NULL) != 0)
		return bad(ei, "holder", "1..256 printable ASCII characters");
	f->holder = mem_strdup(json_string_value(v));
	return f->holder == NULL ? ERR_NOMEM : 0;
}

static int
take_tail(const json_t *from, struct mlog_fence *f, struct err_info *ei)
{
	const json_t *v = json_object_get(from, "tail");
	int64_t number, size;
	int rc;

	if (json_is_null(v))
		return 0;
	if (!json_is_object(v))
		return bad(ei, "tail", "an object or null");
	rc = take_number(v, "number", 0, MLOG_NUMBER_MAX, &number, ei);
	if (rc == 0)
		rc = take_number(v, "size", 0, INT64_MAX, &size, ei);
	if (rc == 0)
		rc = take_hex(
		    json_object_get(v, "sha224"), "sha224", SHA224_HEX_LEN, f->tail.sha224, ei);
	if (rc != 0)
		return err_wrap(ei, rc, "tail");
	f->tail.number = (uint32_t)number;
	f->tail.size = (uint64_t)size;
	f->has_tail = true;
	return 0;
}

static int
take_sealed(const json_t *from, struct mlog_fence *f, struct err_info *ei)
{
	const json_t *v = json_object_get(from, "sealed");
	size_t count = json_array_size(v);

	if (v == NULL)
		return 0;
	if (!json_is_array(v) || count != (f->has_tail ? f->tail.number : 0))
		return bad(ei, "sealed", "a digest for each number before the tail");
	if (mlog_fence_resize(f, count) != 0)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++) {
		int rc =
		    take_hex(json_array_get(v, i), "sealed", SHA224_HEX_LEN, f->sealed[i], ei);

		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
take_all(const json_t *root, struct mlog_fence *f, struct err_info *ei)
{
	const json_t *nonce = json_object_get(root, "nonce");
	int rc;

	if (!json_is_object(root))
		return err_set(ei, ERR_CORRUPT, "not a JSON object");
	rc = take_number(root, "epoch", 1, INT64_MAX - 1, &f->epoch, ei);
	if (rc == 0)
		rc = take_holder(root, f, ei);
	if (rc == 0)
		rc = take_bool(root, "released", true, &f->released, ei);
	if (rc == 0)
		rc = take_number(root, "lease_s", 1, MLOG_LEASE_MAX_S, &f->lease_s, ei);
	if (rc == 0)
		rc = take_tail(root, f, ei);
	if (rc == 0)
		rc = take_bool(root, "next_number", false, &f->next_number, ei);
	if (rc == 0 && f->next_number && !f->has_tail)
		rc = bad(ei, "next_number", "false although there is no tail");
	if (rc == 0 && nonce != NULL)
		rc = take_hex(nonce, "nonce", MLOG_NONCE_SIZE - 1, f->nonce, ei);
	if (rc == 0)
		rc = take_sealed(root, f, ei);
	return rc;
}

int
mlog_fence_parse(struct slice text, struct mlog_fence *ret, struct err_info *ei)
{
	struct mlog_fence f = { 0 };
	json_error_t why;
	json_t *root;
	int rc;

	if (text.len > MLOG_WRITER_MAX_BYTES)
		return err_set(ei, ERR_CORRUPT, "%zu bytes are too many", text.len);
	root =
	    json_loadb(text.len == 0 ? "" : text.ptr, text.len, JSON_REJECT_DUPLICATES, &why);
	if (root == NULL)
		return err_set(
		    ei, ERR_CORRUPT, "not JSON: %s (byte %d)", why.text, why.position);
	rc = take_all(root, &f, ei);
	json_decref(root);
	if (rc != 0)
		mlog_fence_clear(&f);
	else
		*ret = f;
	return rc;
}

int
mlog_fence_load(struct store *s, const char *prefix, struct mlog_fence *ret,
    int64_t *ret_generation, struct err_info *ei)
{
	char name[MLOG_PREFIX_MAX + sizeof(MLOG_WRITER_NAME)];
	int64_t generation;
	struct buf text;
	int rc;

	snprintf(name, sizeof(name), "%s" MLOG_WRITER_NAME, prefix);
	buf_init(&text, MLOG_WRITER_MAX_BYTES + 1);
	rc = store_get(s, name, MLOG_WRITER_MAX_BYTES, &text, &generation, ei);
	if (rc == 0) {
		rc = mlog_fence_parse(buf_view(&text), ret, ei);
		if (rc != 0)
			err_wrap(ei, rc, "%s", name);
	}
	if (rc == 0)
		*ret_generation = generation;
	buf_clear(&text);
	return rc;
}
