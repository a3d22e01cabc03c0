/*
 * conf.h - a program's settings as one table: flag, environment, default, help.
 *
 * Every flag --some-name VALUE also reads MAINTNER_SOME_NAME from the
 * environment; a flag wins.  --help and --version are added by this module.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum conf_type {
	CONF_TEXT,   /* const char **: borrowed from argv or the environment */
	CONF_NUMBER, /* int64_t *, checked against low and high */
	CONF_SWITCH, /* bool *: takes no value as a flag; 1/true/0/false in the environment */
	CONF_LIST,   /* struct conf_list *: a flag that may be given again and again */
};

#define CONF_LIST_MAX 256

/* The values of such a flag, as CONF_TEXT; the environment adds one. */
struct conf_list {
	const char *items[CONF_LIST_MAX];
	size_t count;
};

struct conf_option {
	const char *name; /* without the dashes */
	enum conf_type type;
	void *target;
	bool required;
	int64_t low, high;     /* CONF_NUMBER: inclusive */
	const char *value;     /* the value's name in the help, e.g. "DIR" */
	const char *help;      /* one line */
	const char *other_env; /* a second environment variable, or NULL */
};

struct conf_program {
	const char *name;
	const char *purpose;  /* one sentence for --help */
	const char *operands; /* e.g. "OWNER/REPO ..." or NULL when none are taken */
	const struct conf_option *options; /* ends with one whose name is NULL */
};

enum conf_next {
	CONF_RUN,  /* go on */
	CONF_EXIT, /* --help or --version was printed: exit 0 */
};

/*
 * Read the environment, then argv, into the targets (which hold the defaults
 * before).  *ret_operand is the index in argv of the first operand.
 * ERR_INVAL with a text for the user: unknown flag, bad or missing value.
 */
int conf_read(const struct conf_program *p, int argc, char **argv, enum conf_next *ret_next,
    int *ret_operand, struct err_info *ei);

/*
 * Read a secret from a file, without its trailing newline, into a heap string
 * (mem_free).  ERR_NOENT, ERR_IO, ERR_LIMIT above 64 KiB, ERR_INVAL when empty
 * or when it holds a NUL byte.
 */
int conf_read_secret(const char *path, char **ret, struct err_info *ei);
