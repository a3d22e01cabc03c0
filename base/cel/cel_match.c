/*
 * cel_match.c - regular expressions by PCRE2, the only file that knows it.
 *
 * Patterns come from anybody, so backtracking, depth and memory have limits; a match
 * that breaks one ends the evaluation, because "no match" would be a wrong answer.
 */
#include <stdio.h>
#include <time.h>

#include "base/cel/cel_internal.h"
#include "base/mem.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define HEAP_KIB 1024   /* of one match */
#define NS_OF_A_STEP 40 /* a match may take longer than its text tells */

struct cel_pattern {
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *limits;
	size_t len;
	char text[];
};

static void *
take(size_t size, void *ctx)
{
	(void)ctx;
	return mem_alloc(size);
}

static void
give(void *mem, void *ctx)
{
	(void)ctx;
	mem_free(mem);
}

void
cel_pattern_free(struct cel_pattern *m)
{
	if (m == NULL)
		return;
	pcre2_match_context_free(m->limits);
	pcre2_match_data_free(m->data);
	pcre2_code_free(m->code);
	mem_free(m);
}

static int
compile(struct cel_pattern *m, size_t *ret_at, char *why, size_t why_size)
{
	pcre2_general_context *memory = pcre2_general_context_create(take, give, NULL);
	pcre2_compile_context *how =
	    memory != NULL ? pcre2_compile_context_create(memory) : NULL;
	int code = PCRE2_ERROR_HEAP_FAILED;
	size_t at = 0;

	if (how != NULL) {
		m->code = pcre2_compile((PCRE2_SPTR)m->text, m->len,
		    PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_AUTO_CAPTURE, &code, &at,
		    how);
		if (m->code != NULL)
			m->data = pcre2_match_data_create(1, memory);
		m->limits = pcre2_match_context_create(memory);
	}
	pcre2_compile_context_free(how);
	pcre2_general_context_free(memory);
	if (m->code != NULL && m->data != NULL && m->limits != NULL) {
		pcre2_set_match_limit(m->limits, CEL_MATCH_MAX);
		pcre2_set_depth_limit(m->limits, CEL_MATCH_DEPTH);
		pcre2_set_heap_limit(m->limits, HEAP_KIB);
		return 0;
	}
	if (how == NULL || m->code != NULL || code == PCRE2_ERROR_HEAP_FAILED)
		return ERR_NOMEM;
	*ret_at = at;
	pcre2_get_error_message(code, (PCRE2_UCHAR *)why, why_size);
	return ERR_INVAL;
}

int
cel_pattern_new(
    struct slice text, struct cel_pattern **ret, size_t *ret_at, char *why, size_t why_size)
{
	struct cel_pattern *m;
	int rc;

	if (text.len > CEL_PATTERN_MAX) {
		*ret_at = CEL_PATTERN_MAX;
		snprintf(why, why_size, "longer than %u bytes", CEL_PATTERN_MAX);
		return ERR_LIMIT;
	}
	m = mem_zalloc(sizeof(*m) + text.len + 1);
	if (m == NULL)
		return ERR_NOMEM;
	m->len = text.len;
	if (text.len > 0)
		memcpy(m->text, text.ptr, text.len);
	rc = compile(m, ret_at, why, why_size);
	if (rc == 0)
		*ret = m;
	else
		cel_pattern_free(m);
	return rc;
}

bool
cel_pattern_is(const struct cel_pattern *m, struct slice text)
{
	return slice_eq((struct slice){ m->text, m->len }, text);
}

/*
 * Some milliseconds exact, for the price of nothing: over many matches the ticks that fall
 * into them add up to the time they took.
 */
static uint64_t
ticking_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

struct cel_value
cel_pattern_match(struct cel_program *p, struct cel_pattern *m, struct slice subject)
{
	PCRE2_SPTR text = (PCRE2_SPTR)(subject.len > 0 ? subject.ptr : "");
	uint64_t began = ticking_ns();
	int n = pcre2_match(m->code, text, subject.len, 0, 0, m->data, m->limits);

	/*
	 * A search that fails has looked at every byte, often more than once; how often is
	 * what PCRE2 does not tell, and what makes some take 10,000 times as long.
	 */
	cel_charge(p, 10 + subject.len / 4 + (ticking_ns() - began) / NS_OF_A_STEP);
	if (n == PCRE2_ERROR_MATCHLIMIT || n == PCRE2_ERROR_DEPTHLIMIT ||
	    n == PCRE2_ERROR_HEAPLIMIT)
		cel_stop(p, ERR_LIMIT, "a regular expression takes more work than allowed");
	else if (n == PCRE2_ERROR_NOMEMORY)
		cel_stop(p, ERR_NOMEM, "out of memory");
	else if (n < 0 && n != PCRE2_ERROR_NOMATCH)
		return cel_fault(p, CEL_F_CONVERT); /* a text that is not UTF-8 */
	return cel_bool(n >= 0);
}
