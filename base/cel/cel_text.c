/* cel_text.c - functions on texts, and size(). */
#include "base/cel/cel_internal.h"
#include "base/mem.h"

static uint32_t
code_points(struct slice s)
{
	uint32_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
	return n;
}

void
cel_run_size(struct cel_program *p, struct cel_value *args, uint32_t argc)
{
	(void)argc;
	switch ((enum cel_kind)args->kind) {
	case CEL_STRING:
		cel_charge(p, args->aux / 32);
		*args = cel_int(code_points(cel_text(args)));
		break;
	case CEL_BYTES:
	case CEL_LIST:
	case CEL_MAP:
		*args = cel_int(args->aux);
		break;
	default:
		*args = cel_fault(p, CEL_F_OVERLOAD);
	}
}

static bool
two_texts(struct cel_program *p, struct cel_value *args, struct slice *a, struct slice *b)
{
	if (args[0].kind != CEL_STRING || args[1].kind != CEL_STRING) {
		args[0] = cel_fault(p, CEL_F_OVERLOAD);
		return false;
	}
	*a = cel_text(&args[0]);
	*b = cel_text(&args[1]);
	return true;
}

void
cel_run_contains(struct cel_program *p, struct cel_value *args, uint32_t argc)
{
	struct slice text, part;

	(void)argc;
	if (!two_texts(p, args, &text, &part))
		return;
	cel_charge(p, text.len / 32);
	*args = cel_bool(
	    part.len == 0 ||
	    (text.len >= part.len && memmem(text.ptr, text.len, part.ptr, part.len) != NULL));
}

void
cel_run_starts(struct cel_program *p, struct cel_value *args, uint32_t argc)
{
	struct slice text, part;

	(void)argc;
	if (two_texts(p, args, &text, &part))
		*args = cel_bool(text.len >= part.len &&
				 slice_eq((struct slice){ text.ptr, part.len }, part));
}

void
cel_run_ends(struct cel_program *p, struct cel_value *args, uint32_t argc)
{
	struct slice text, part;

	(void)argc;
	if (two_texts(p, args, &text, &part))
		*args = cel_bool(
		    text.len >= part.len &&
		    slice_eq(
			(struct slice){ text.ptr + (text.len - part.len), part.len }, part));
}

/* A pattern that is not constant; the last one is kept, since it often comes again. */
void
cel_run_matches(struct cel_program *p, struct cel_value *args, uint32_t argc)
{
	struct slice text, pattern;
	char why[8];
	size_t at;
	int rc = 0;

	(void)argc;
	if (!two_texts(p, args, &text, &pattern))
		return;
	if (p->last_pattern == NULL || !cel_pattern_is(p->last_pattern, pattern)) {
		cel_pattern_free(p->last_pattern);
		p->last_pattern = NULL;
		cel_charge(p, 200 + pattern.len);
		rc = cel_pattern_new(pattern, &p->last_pattern, &at, why, sizeof(why));
	}
	if (rc == ERR_NOMEM)
		cel_stop(p, rc, "out of memory");
	*args =
	    rc == 0 ? cel_pattern_match(p, p->last_pattern, text) : cel_fault(p, CEL_F_PATTERN);
}
