/*
 * store-cli - a thin program over base/store, so that the client can be exercised
 * from outside.  Not installed.
 *
 *   list URL             names, sizes and generations below the URL
 *   stat URL             an object (gs://bucket/name) or a bucket (gs://bucket)
 *   get URL FILE         "-" is standard output
 *   put FILE URL         [--if-generation N] [--resumable]
 *   delete URL           [--if-generation N]
 *   copy URL URL         [--if-generation N]
 *   compose URL URL URL  the third out of the first two, all in one bucket
 *   make-bucket URL      --project P
 *
 * Without --if-generation a write is attempted exactly once.  Exit status 0 only on
 * success; 1 with the reason on standard error; 2 for bad usage.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/store/gcs.h"
#include "base/store/store.h"

#define OBJECT_MAX ((size_t)1 << 30)
#define ROOT_MAX 4096

struct cli {
	int64_t if_generation, deadline_ms, backoff_ms;
	bool resumable;
	const char *project, *ca_file;
};

/* A URL of an object, as the store above it and the name in that. */
struct place {
	struct store *store;
	char root[ROOT_MAX];
	const char *name; /* "" when the URL is only a store's */
};

static int
open_root(const struct cli *c, const char *url, struct store **ret, struct err_info *ei)
{
	struct store_open_opts o = { .ca_file = c->ca_file,
		.deadline_ms = c->deadline_ms,
		.backoff_ms = c->backoff_ms };

	return store_open_with(url, &o, ret, ei);
}

/* gs://bucket/name: the bucket is the store; file:///dir/name: the last '/' divides. */
static int
open_place(const struct cli *c, const char *url, struct place *ret, struct err_info *ei)
{
	const char *slash =
	    strncmp(url, "gs://", 5) == 0 ? strchr(url + 5, '/') : strrchr(url, '/');
	size_t len = slash != NULL ? (size_t)(slash - url) : strlen(url);

	if (len >= sizeof(ret->root))
		return err_set(ei, ERR_INVAL, "%s: too long", url);
	memcpy(ret->root, url, len);
	ret->root[len] = '\0';
	ret->name = slash != NULL ? slash + 1 : "";
	return open_root(c, ret->root, &ret->store, ei);
}

static int
cmd_list(const struct cli *c, char **arg, struct err_info *ei)
{
	struct store_list list;
	struct store *s;
	int rc = open_root(c, arg[0], &s, ei);

	if (rc != 0)
		return rc;
	rc = store_list(s, "", &list, ei);
	if (rc == 0) {
		for (size_t i = 0; i < list.count; i++)
			printf("%s %llu %lld\n", list.items[i].name,
			    (unsigned long long)list.items[i].size,
			    (long long)list.items[i].generation);
		store_list_clear(&list);
	}
	store_close(s);
	return rc;
}

static int
stat_bucket(struct store *s, struct err_info *ei)
{
	struct store_bucket b;
	char created[TIME_TEXT_MAX];
	int rc = store_stat_bucket(s, &b, ei);

	if (rc != 0)
		return rc;
	time_format(b.created_ms, created);
	printf("location %s\nstorage-class %s\ncreated %s\n", b.location, b.storage_class,
	    created);
	return 0;
}

static int
cmd_stat(const struct cli *c, char **arg, struct err_info *ei)
{
	struct place p;
	struct store_object o;
	struct gcs_object described;
	int rc = open_place(c, arg[0], &p, ei);

	if (rc != 0)
		return rc;
	if (p.name[0] == '\0') {
		rc = stat_bucket(p.store, ei);
	} else if (strncmp(arg[0], "gs://", 5) == 0) {
		rc = gcs_stat((struct gcs *)p.store, p.name, &described, ei);
		if (rc == 0)
			printf("size %llu\ngeneration %lld\ncrc32c %s\n",
			    (unsigned long long)described.object.size,
			    (long long)described.object.generation, described.crc32c);
	} else {
		rc = store_stat(p.store, p.name, &o, ei);
		if (rc == 0)
			printf("size %llu\ngeneration %lld\n", (unsigned long long)o.size,
			    (long long)o.generation);
	}
	store_close(p.store);
	return rc;
}

static int
write_file(const char *path, struct slice data, struct err_info *ei)
{
	FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "wb");
	bool ok = f != NULL && fwrite(data.ptr, 1, data.len, f) == data.len;

	if (f != NULL && f != stdout && fclose(f) != 0)
		ok = false;
	return ok ? 0 : err_set(ei, ERR_IO, "%s cannot be written", path);
}

static int
cmd_get(const struct cli *c, char **arg, struct err_info *ei)
{
	struct place p;
	struct buf b;
	int rc = open_place(c, arg[0], &p, ei);

	if (rc != 0)
		return rc;
	buf_init(&b, OBJECT_MAX + 1);
	rc = store_get(p.store, p.name, OBJECT_MAX, &b, NULL, ei);
	if (rc == 0)
		rc = write_file(arg[1], buf_view(&b), ei);
	buf_clear(&b);
	store_close(p.store);
	return rc;
}

static int
read_file(const char *path, struct buf *into, struct err_info *ei)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	char chunk[65536];
	size_t n;

	if (f == NULL)
		return err_set(ei, ERR_NOENT, "%s cannot be read", path);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(into, chunk, n);
	if (f != stdin && fclose(f) != 0)
		return err_set(ei, ERR_IO, "%s cannot be read", path);
	return buf_err(into);
}

static int
cmd_put(const struct cli *c, char **arg, struct err_info *ei)
{
	struct place p;
	struct buf b;
	int64_t generation = 0;
	int rc = open_place(c, arg[1], &p, ei);

	if (rc != 0)
		return rc;
	buf_init(&b, OBJECT_MAX);
	rc = read_file(arg[0], &b, ei);
	if (rc == 0 && c->resumable && strncmp(arg[1], "gs://", 5) == 0)
		rc = gcs_put_resumable((struct gcs *)p.store, p.name, buf_view(&b),
		    c->if_generation, &generation, ei);
	else if (rc == 0)
		rc =
		    store_put(p.store, p.name, buf_view(&b), c->if_generation, &generation, ei);
	if (rc == 0)
		printf("generation %lld\n", (long long)generation);
	buf_clear(&b);
	store_close(p.store);
	return rc;
}

static int
cmd_delete(const struct cli *c, char **arg, struct err_info *ei)
{
	struct place p;
	int rc = open_place(c, arg[0], &p, ei);

	if (rc != 0)
		return rc;
	rc = store_delete(p.store, p.name, c->if_generation, ei);
	store_close(p.store);
	return rc;
}

static int
cmd_copy(const struct cli *c, char **arg, struct err_info *ei)
{
	struct place from, to;
	int64_t generation = 0;
	int rc = open_place(c, arg[0], &from, ei);

	if (rc != 0)
		return rc;
	rc = open_place(c, arg[1], &to, ei);
	if (rc == 0) {
		rc = store_copy(from.store, from.name, to.store, to.name, c->if_generation,
		    &generation, ei);
		store_close(to.store);
	}
	if (rc == 0)
		printf("generation %lld\n", (long long)generation);
	store_close(from.store);
	return rc;
}

static int
cmd_compose(const struct cli *c, char **arg, struct err_info *ei)
{
	struct place p[3];
	struct store_content content = { 0 };
	const char *names[2];
	int64_t generation = 0;
	struct buf b;
	int rc = 0, opened = 0;

	buf_init(&b, OBJECT_MAX);
	for (; opened < 3 && rc == 0; opened++) {
		rc = open_place(c, arg[opened], &p[opened], ei);
		if (rc != 0)
			break;
		if (opened < 2) {
			names[opened] = p[opened].name;
			rc = store_get(
			    p[opened].store, p[opened].name, OBJECT_MAX, &b, NULL, ei);
		}
	}
	if (rc == 0) {
		content = (struct store_content){ b.len, crc32c(0, b.ptr, b.len) };
		rc = store_compose(p[2].store, names, 2, &content, p[2].name, c->if_generation,
		    &generation, ei);
	}
	if (rc == 0)
		printf("generation %lld\n", (long long)generation);
	while (opened-- > 0)
		store_close(p[opened].store);
	buf_clear(&b);
	return rc;
}

static int
cmd_make_bucket(const struct cli *c, char **arg, struct err_info *ei)
{
	struct store *s;
	int rc;

	if (c->project == NULL)
		return err_set(ei, ERR_INVAL, "make-bucket needs --project");
	rc = open_root(c, arg[0], &s, ei);
	if (rc != 0)
		return rc;
	rc = store_make_bucket(s, c->project, ei);
	store_close(s);
	return rc;
}

static const struct command {
	const char *name;
	int args;
	int (*run)(const struct cli *c, char **arg, struct err_info *ei);
} commands[] = {
	{ "list", 1, cmd_list },
	{ "stat", 1, cmd_stat },
	{ "get", 2, cmd_get },
	{ "put", 2, cmd_put },
	{ "delete", 1, cmd_delete },
	{ "copy", 2, cmd_copy },
	{ "compose", 3, cmd_compose },
	{ "make-bucket", 1, cmd_make_bucket },
};

static int
read_settings(struct cli *c, int argc, char **argv, enum conf_next *next, int *operand,
    struct err_info *ei)
{
	const struct conf_option options[] = {
		{ .name = "if-generation",
		    .type = CONF_NUMBER,
		    .target = &c->if_generation,
		    .low = 0,
		    .high = INT64_MAX,
		    .value = "N",
		    .help = "generation it must have; 0 = must not exist" },
		{ .name = "resumable",
		    .type = CONF_SWITCH,
		    .target = &c->resumable,
		    .help = "upload in pieces" },
		{ .name = "project",
		    .target = &c->project,
		    .value = "P",
		    .help = "project of a new bucket" },
		{ .name = "ca-file",
		    .target = &c->ca_file,
		    .value = "FILE",
		    .help = "PEM certificates to trust" },
		{ .name = "deadline-ms",
		    .type = CONF_NUMBER,
		    .target = &c->deadline_ms,
		    .low = 1,
		    .high = 3600000,
		    .value = "N",
		    .help = "for all tries together [300000]" },
		{ .name = "backoff-ms",
		    .type = CONF_NUMBER,
		    .target = &c->backoff_ms,
		    .low = 1,
		    .high = 60000,
		    .value = "N",
		    .help = "first pause after a fault [1000]" },
		{ .name = NULL },
	};
	const struct conf_program program = { "store-cli", "Exercises the object store client.",
		"list|stat|get|put|delete|copy|make-bucket ARG ...", options };

	return conf_read(&program, argc, argv, next, operand, ei);
}

int
main(int argc, char **argv)
{
	struct cli c = { .if_generation = STORE_ANY };
	enum conf_next next = CONF_RUN;
	struct err_info ei = { 0 };
	int operand = 0, rc = read_settings(&c, argc, argv, &next, &operand, &ei);

	if (rc == 0 && next == CONF_EXIT)
		return 0;
	for (size_t i = 0;
	     rc == 0 && operand < argc && i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(argv[operand], commands[i].name) != 0 ||
		    argc - operand - 1 != commands[i].args)
			continue;
		rc = commands[i].run(&c, argv + operand + 1, &ei);
		if (rc == 0)
			return 0;
		fprintf(stderr, "store-cli: %s\n", ei.text[0] != '\0' ? ei.text : err_name(rc));
		return 1;
	}
	fprintf(stderr, "store-cli: %s\n", rc != 0 ? ei.text : "bad usage (see --help)");
	return 2;
}
