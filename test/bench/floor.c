/*
 * floor - the least that a rebuild costs: the finished rows of an environment put into a
 * new one in the order of their keys, 10,000 a transaction, unsynced but for the end,
 * and one SHA-224 pass over the log.  Prints what it cost as a JSON object.
 *
 * Knows LMDB and nothing of the tables.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "test/bench/usage.h"

#define BATCH_ROWS 10000U
#define MAP_BYTES ((size_t)64 << 30)
#define TABLES_MAX 64
#define READ_BYTES ((size_t)1 << 20)

struct copy {
	MDB_env *from, *to;
	MDB_txn *read, *write;
	MDB_dbi tables[TABLES_MAX][2]; /* in `from` and in `to` */
	unsigned table_count;
	unsigned batch;
	uint64_t rows;
};

static void
check(int rc, const char *what)
{
	if (rc == 0)
		return;
	fprintf(stderr, "floor: %s: %s\n", what, mdb_strerror(rc));
	exit(1);
}

static MDB_env *
open_env(const char *path, unsigned flags)
{
	MDB_env *env;

	check(mdb_env_create(&env), path);
	check(mdb_env_set_maxdbs(env, TABLES_MAX), path);
	check(mdb_env_set_mapsize(env, MAP_BYTES), path);
	check(mdb_env_open(env, path, flags, 0660), path);
	return env;
}

/* Every key of the main database names a table. */
static void
open_tables(struct copy *c)
{
	char name[512];
	MDB_cursor *cursor;
	MDB_val k, d;
	MDB_dbi main_table;

	check(mdb_dbi_open(c->read, NULL, 0, &main_table), "main database");
	check(mdb_cursor_open(c->read, main_table, &cursor), "main database");
	while (mdb_cursor_get(cursor, &k, &d, MDB_NEXT) == 0 && c->table_count < TABLES_MAX) {
		MDB_dbi *pair = c->tables[c->table_count++];

		snprintf(name, sizeof(name), "%.*s", (int)k.mv_size, (char *)k.mv_data);
		check(mdb_dbi_open(c->read, name, 0, &pair[0]), name);
		check(mdb_dbi_open(c->write, name, MDB_CREATE, &pair[1]), name);
	}
	mdb_cursor_close(cursor);
}

static void
next_batch(struct copy *c)
{
	check(mdb_txn_commit(c->write), "commit");
	check(mdb_txn_begin(c->to, NULL, 0, &c->write), "begin");
	c->batch = 0;
}

static void
copy_table(struct copy *c, const MDB_dbi pair[2])
{
	MDB_cursor *cursor;
	MDB_val k, d;

	check(mdb_cursor_open(c->read, pair[0], &cursor), "cursor");
	while (mdb_cursor_get(cursor, &k, &d, MDB_NEXT) == 0) {
		check(mdb_put(c->write, pair[1], &k, &d, 0), "put");
		c->rows++;
		if (++c->batch == BATCH_ROWS)
			next_batch(c);
	}
	mdb_cursor_close(cursor);
}

static uint64_t
copy_rows(const char *from, const char *to)
{
	struct copy c = { .from = open_env(from, MDB_RDONLY) };

	check(mkdir(to, 0770) == 0 ? 0 : ENOENT, to);
	c.to = open_env(to, MDB_NOSYNC);
	check(mdb_txn_begin(c.from, NULL, MDB_RDONLY, &c.read), from);
	check(mdb_txn_begin(c.to, NULL, 0, &c.write), to);
	open_tables(&c);
	next_batch(&c);
	for (unsigned t = 0; t < c.table_count; t++)
		copy_table(&c, c.tables[t]);
	check(mdb_txn_commit(c.write), "commit");
	check(mdb_env_sync(c.to, 1), "sync");
	mdb_txn_abort(c.read);
	mdb_env_close(c.to);
	mdb_env_close(c.from);
	return c.rows;
}

/* SHA-224 of a file; its size. */
static uint64_t
digest_file(const char *path)
{
	static char piece[READ_BYTES];
	char hex[SHA224_HEX_LEN + 1];
	struct sha224 *d = NULL;
	uint64_t bytes = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	check(fd < 0 ? ENOENT : sha224_new(&d), path);
	while ((n = read(fd, piece, sizeof(piece))) > 0) {
		sha224_add(d, piece, (size_t)n);
		bytes += (uint64_t)n;
	}
	sha224_peek_hex(d, hex);
	sha224_free(d);
	close(fd);
	return bytes;
}

int
main(int argc, char **argv)
{
	struct usage began = usage_now(), puts_only, all;
	uint64_t rows, bytes = 0;

	if (argc < 4) {
		fprintf(stderr, "usage: floor ENV NEW-ENV SEGMENT...\n");
		return 2;
	}
	rows = copy_rows(argv[1], argv[2]);
	puts_only = usage_since(began);
	for (int i = 3; i < argc; i++)
		bytes += digest_file(argv[i]);
	all = usage_since(began);
	printf("{\"cpu_s\":%.3f,\"wall_s\":%.3f,\"puts_cpu_s\":%.3f,\"rows\":%" PRIu64
	       ",\"log_bytes\":%" PRIu64 "}\n",
	    all.cpu_s, all.wall_s, puts_only.cpu_s, rows, bytes);
	return 0;
}
