/* conf.c - one option table drives getopt_long, the environment and --help. */
#include "base/conf.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define CONF_OPTIONS_MAX 64
#define CONF_SECRET_MAX ((size_t)64 << 10)

#ifndef MAINTNER_VERSION
#define MAINTNER_VERSION "unknown"
#endif

static int
parse_number(
    const struct conf_option *o, const char *from, const char *text, struct err_info *ei)
{
	char *end;
	long long v;

	errno = 0;
	v = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0)
		return err_set(ei, ERR_INVAL, "%s: \"%s\" is not a whole number", from, text);
	if (v < o->low || v > o->high)
		return err_set(ei, ERR_INVAL, "%s: %lld is outside %lld..%lld", from, v,
		    (long long)o->low, (long long)o->high);
	*(int64_t *)o->target = v;
	return 0;
}

static int
parse_switch(
    const struct conf_option *o, const char *from, const char *text, struct err_info *ei)
{
	if (text == NULL || strcmp(text, "1") == 0 || strcmp(text, "true") == 0)
		*(bool *)o->target = true;
	else if (text[0] == '\0' || strcmp(text, "0") == 0 || strcmp(text, "false") == 0)
		*(bool *)o->target = false;
	else
		return err_set(
		    ei, ERR_INVAL, "%s: \"%s\" is neither true nor false", from, text);
	return 0;
}

static int
add_to_list(struct conf_list *l, const char *from, const char *text, struct err_info *ei)
{
	if (l->count == CONF_LIST_MAX)
		return err_set(
		    ei, ERR_LIMIT, "%s: given more than %d times", from, CONF_LIST_MAX);
	l->items[l->count++] = text;
	return 0;
}

static int
store(const struct conf_option *o, const char *from, const char *text, struct err_info *ei)
{
	switch (o->type) {
	case CONF_NUMBER:
		return parse_number(o, from, text, ei);
	case CONF_SWITCH:
		return parse_switch(o, from, text, ei);
	case CONF_TEXT:
	case CONF_LIST:
		break;
	}
	if (text[0] == '\0')
		return err_set(ei, ERR_INVAL, "%s: empty value", from);
	if (o->type == CONF_LIST)
		return add_to_list(o->target, from, text, ei);
	*(const char **)o->target = text;
	return 0;
}

static void
env_name(const char *flag, char out[64])
{
	size_t n = (size_t)snprintf(out, 64, "MAINTNER_%s", flag);

	for (size_t i = 0; i < n && i < 64; i++)
		out[i] = out[i] == '-' ? '_' : (char)toupper((unsigned char)out[i]);
}

static int
read_env(const struct conf_option *o, struct err_info *ei)
{
	char name[64];
	const char *from = name;
	const char *text;

	env_name(o->name, name);
	text = getenv(name);
	if (text == NULL && o->other_env != NULL) {
		from = o->other_env;
		text = getenv(from);
	}
	return text == NULL || text[0] == '\0' ? 0 : store(o, from, text, ei);
}

static void
print_help(const struct conf_program *p)
{
	printf("Usage: %s [options]%s%s\n\n%s\n\nOptions (each also reads MAINTNER_<FLAG>):\n",
	    p->name, p->operands != NULL ? " " : "", p->operands != NULL ? p->operands : "",
	    p->purpose);
	for (const struct conf_option *o = p->options; o->name != NULL; o++) {
		char left[64];

		snprintf(left, sizeof(left), "--%s%s%s", o->name, o->value != NULL ? " " : "",
		    o->value != NULL ? o->value : "");
		printf("  %-28s %s%s%s%s%s\n", left, o->help, o->required ? " (required)" : "",
		    o->other_env != NULL ? " (or $" : "",
		    o->other_env != NULL ? o->other_env : "", o->other_env != NULL ? ")" : "");
	}
	printf("  %-28s %s\n  %-28s %s\n", "--help", "print this and exit", "--version",
	    "print the version and exit");
}

static bool
has_value(const struct conf_option *o)
{
	if (o->type == CONF_NUMBER)
		return true;
	if (o->type == CONF_SWITCH)
		return true;
	if (o->type == CONF_LIST)
		return ((const struct conf_list *)o->target)->count > 0;
	return *(const char **)o->target != NULL;
}

static int
check_required(const struct conf_program *p, struct err_info *ei)
{
	for (const struct conf_option *o = p->options; o->name != NULL; o++) {
		if (o->required && !has_value(o))
			return err_set(ei, ERR_INVAL, "--%s %s is required (see --help)",
			    o->name, o->value != NULL ? o->value : "");
	}
	return 0;
}

/* Fill getopt's table; returns the number of the program's own options. */
static int
build_table(const struct conf_program *p, struct option table[CONF_OPTIONS_MAX + 3])
{
	int n = 0;

	for (; p->options[n].name != NULL && n < CONF_OPTIONS_MAX; n++) {
		bool flag = p->options[n].type == CONF_SWITCH;

		table[n] = (struct option){ p->options[n].name,
			flag ? no_argument : required_argument, NULL, 256 + n };
	}
	table[n] = (struct option){ "help", no_argument, NULL, 'h' };
	table[n + 1] = (struct option){ "version", no_argument, NULL, 'V' };
	table[n + 2] = (struct option){ NULL, 0, NULL, 0 };
	return n;
}

static const struct option *
find_flag(const struct option *table, const char *name, size_t len)
{
	for (; table->name != NULL; table++) {
		if (strlen(table->name) == len && memcmp(table->name, name, len) == 0)
			return table;
	}
	return NULL;
}

/*
 * getopt_long takes abbreviations: --token SECRET for --token-file, and then the secret
 * is taken for a file's name.  Only whole names are flags here.
 */
static int
check_names(const struct option *table, int argc, char **argv, struct err_info *ei)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		size_t len;
		const struct option *o;

		if (strncmp(argv[i], "--", 2) != 0)
			continue;
		len = strcspn(argv[i] + 2, "=");
		o = find_flag(table, argv[i] + 2, len);
		if (o == NULL)
			return err_set(ei, ERR_INVAL, "unknown flag --%.*s (see --help)",
			    (int)len, argv[i] + 2);
		if (o->has_arg == required_argument && argv[i][2 + len] == '\0')
			i++; /* the next one is its value */
	}
	return 0;
}

static int
read_flags(const struct conf_program *p, int argc, char **argv, enum conf_next *next,
    struct err_info *ei)
{
	struct option table[CONF_OPTIONS_MAX + 3];
	int n = build_table(p, table);
	int c, rc = check_names(table, argc, argv, ei);

	if (rc != 0)
		return rc;
	optind = 0; /* start afresh, whatever was parsed before */
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", table, NULL)) != -1) {
		if (c == 'h') {
			print_help(p);
			*next = CONF_EXIT;
			return 0;
		}
		if (c == 'V') {
			printf("%s %s\n", p->name, MAINTNER_VERSION);
			*next = CONF_EXIT;
			return 0;
		}
		if (c == ':')
			return err_set(ei, ERR_INVAL, "%s needs a value", argv[optind - 1]);
		if (c < 256 || c - 256 >= n)
			return err_set(
			    ei, ERR_INVAL, "unknown flag %s (see --help)", argv[optind - 1]);
		rc = store(&p->options[c - 256], argv[optind - 1], optarg, ei);
		if (rc != 0)
			return err_wrap(ei, rc, "--%s", p->options[c - 256].name);
	}
	return 0;
}

int
conf_read(const struct conf_program *p, int argc, char **argv, enum conf_next *ret_next,
    int *ret_operand, struct err_info *ei)
{
	enum conf_next next = CONF_RUN;
	int rc;

	for (const struct conf_option *o = p->options; o->name != NULL; o++) {
		rc = read_env(o, ei);
		if (rc != 0)
			return rc;
	}
	rc = read_flags(p, argc, argv, &next, ei);
	if (rc != 0)
		return rc;
	if (next == CONF_RUN) {
		rc = check_required(p, ei);
		if (rc == 0 && p->operands == NULL && optind < argc)
			rc = err_set(ei, ERR_INVAL, "unexpected argument \"%s\" (see --help)",
			    argv[optind]);
		if (rc != 0)
			return rc;
	}
	*ret_next = next;
	*ret_operand = optind;
	return 0;
}

int
conf_read_secret(const char *path, char **ret, struct err_info *ei)
{
	char *text = mem_alloc(CONF_SECRET_MAX + 2); /* one too many, and a NUL */
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n = fd < 0 ? -1 : 1;
	int rc = 0;

	while (text != NULL && n > 0 && len <= CONF_SECRET_MAX) {
		n = read(fd, text + len, CONF_SECRET_MAX + 1 - len);
		len += n > 0 ? (size_t)n : 0;
	}
	if (text == NULL)
		rc = ERR_NOMEM;
	else if (n < 0)
		rc = err_set(
		    ei, err_from_errno(errno), "secret file %s: %s", path, strerror(errno));
	else if (len > CONF_SECRET_MAX)
		rc = err_set(ei, ERR_LIMIT, "secret file %s is larger than 64 KiB", path);
	if (fd >= 0)
		close(fd);
	while (rc == 0 && len > 0 && isspace((unsigned char)text[len - 1]))
		len--;
	if (rc == 0 && len == 0)
		rc = err_set(ei, ERR_INVAL, "secret file %s is empty", path);
	if (rc == 0 && memchr(text, '\0', len) != NULL)
		rc = err_set(ei, ERR_INVAL, "secret file %s holds a NUL byte", path);
	if (rc != 0) {
		mem_free(text);
		return rc;
	}
	text[len] = '\0';
	*ret = text;
	return 0;
}
