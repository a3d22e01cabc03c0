/* segment_reader.c - see segment_reader.h. */
#include "fcgi/segment_reader.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"

#define READ_DEADLINE_MS 10000 /* of one try, and for the next to begin: a client waits */
#define WAITING_MAX 64         /* not done yet; each has a segment's bytes, 16 MiB, at most */

struct segment_read {
	struct segment_read *next;
	struct segment_reader *reader;
	char name[STORE_NAME_MAX + 1];
	struct store_range range;
	struct buf bytes;
	struct err_info ei;
	int rc;
	bool done, left; /* under the reader's lock: result there; nobody wants it */
};

struct segment_reader {
	const char *log_url, *ca_file;
	struct store *store; /* of the thread; NULL until it was opened */
	int wake_fd;         /* readable when the read under way may be of no use any more */
	pthread_t thread;
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t work;
	struct segment_read *first, **last; /* what waits to be read */
	struct segment_read *current;       /* what is being read */
	unsigned waiting;                   /* both */
	bool started, stopped;
};

static void
free_read(struct segment_read *s)
{
	buf_clear(&s->bytes);
	mem_free(s);
}

static bool
is_of_no_use(void *ctx)
{
	struct segment_reader *r = ctx;
	bool no_use;

	pthread_mutex_lock(&r->lock);
	no_use = r->stopped || r->current->left;
	pthread_mutex_unlock(&r->lock);
	return no_use;
}

static void
read_one(struct segment_reader *r, struct segment_read *s)
{
	const struct cancel cancel = { .fd = r->wake_fd, .check = is_of_no_use, .ctx = r };
	const struct store_open_opts o = {
		.cancel = &cancel, .ca_file = r->ca_file, .deadline_ms = READ_DEADLINE_MS
	};

	s->rc = 0;
	if (r->store == NULL)
		s->rc = store_open_with(r->log_url, &o, &r->store, &s->ei);
	if (s->rc == 0)
		s->rc = store_read(r->store, s->name, &s->range, &s->bytes, NULL, &s->ei);
}

/* Under the lock: the next one to read, or NULL at the end. */
static struct segment_read *
take(struct segment_reader *r)
{
	struct segment_read *s;
	eventfd_t times;

	while (r->first == NULL && !r->stopped)
		pthread_cond_wait(&r->work, &r->lock);
	if (r->stopped)
		return NULL;
	s = r->first;
	r->first = s->next;
	if (r->first == NULL)
		r->last = &r->first;
	r->current = s;
	(void)eventfd_read(r->wake_fd, &times); /* that was for the one before */
	return s;
}

/* Under the lock. */
static void
finish(struct segment_reader *r, struct segment_read *s)
{
	r->waiting--;
	s->done = true;
	if (s->left)
		free_read(s);
}

static void *
run(void *arg)
{
	struct segment_reader *r = arg;
	struct segment_read *s;

	pthread_mutex_lock(&r->lock);
	while ((s = take(r)) != NULL) {
		bool wanted = !s->left;

		pthread_mutex_unlock(&r->lock);
		if (wanted)
			read_one(r, s);
		pthread_mutex_lock(&r->lock);
		r->current = NULL;
		finish(r, s);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

int
segment_reader_new(const char *log_url, const char *ca_file, struct segment_reader **ret)
{
	struct segment_reader *r = mem_zalloc(sizeof(*r));

	if (r == NULL)
		return ERR_NOMEM;
	r->log_url = log_url;
	r->ca_file = ca_file;
	r->last = &r->first;
	r->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->wake_fd < 0) {
		mem_free(r);
		return ERR_IO;
	}
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->work, NULL);
	*ret = r;
	return 0;
}

void
segment_reader_stop(struct segment_reader *r)
{
	struct segment_read *s;

	pthread_mutex_lock(&r->lock);
	r->stopped = true;
	while ((s = r->first) != NULL) {
		r->first = s->next;
		s->rc = ERR_CANCELED;
		finish(r, s);
	}
	r->last = &r->first;
	pthread_cond_signal(&r->work);
	eventfd_write(r->wake_fd, 1);
	pthread_mutex_unlock(&r->lock);
}

void
segment_reader_free(struct segment_reader *r)
{
	if (r == NULL)
		return;
	segment_reader_stop(r);
	if (r->started)
		pthread_join(r->thread, NULL);
	store_close(r->store);
	close(r->wake_fd);
	pthread_cond_destroy(&r->work);
	pthread_mutex_destroy(&r->lock);
	mem_free(r);
}

/* Under the lock. */
static int
enqueue(struct segment_reader *r, struct segment_read *s)
{
	if (r->stopped)
		return ERR_CANCELED;
	if (r->waiting >= WAITING_MAX)
		return ERR_FULL;
	if (!r->started)
		r->started = pthread_create(&r->thread, NULL, run, r) == 0;
	if (!r->started)
		return ERR_IO;
	*r->last = s;
	r->last = &s->next;
	r->waiting++;
	pthread_cond_signal(&r->work);
	return 0;
}

int
segment_read_begin(struct segment_reader *r, const char *name, const struct store_range *range,
    struct segment_read **ret)
{
	struct segment_read *s;
	int rc;

	if (strlen(name) > STORE_NAME_MAX)
		return ERR_LIMIT;
	s = mem_zalloc(sizeof(*s));
	if (s == NULL)
		return ERR_NOMEM;
	s->reader = r;
	s->range = *range;
	memcpy(s->name, name, strlen(name));
	buf_init(&s->bytes, range->len + 1);
	pthread_mutex_lock(&r->lock);
	rc = enqueue(r, s);
	pthread_mutex_unlock(&r->lock);
	if (rc == 0)
		*ret = s;
	else
		free_read(s);
	return rc;
}

bool
segment_read_done(
    struct segment_read *s, int *ret_rc, struct buf **ret_bytes, struct err_info *ei)
{
	bool done;

	pthread_mutex_lock(&s->reader->lock);
	done = s->done;
	pthread_mutex_unlock(&s->reader->lock);
	if (!done)
		return false;
	*ret_rc = s->rc;
	*ret_bytes = &s->bytes;
	if (ei != NULL)
		*ei = s->ei;
	return true;
}

void
segment_read_end(struct segment_read *s)
{
	struct segment_reader *r;
	bool done;

	if (s == NULL)
		return;
	r = s->reader;
	pthread_mutex_lock(&r->lock);
	s->left = true;
	done = s->done;
	if (r->current == s)
		eventfd_write(r->wake_fd, 1);
	pthread_mutex_unlock(&r->lock);
	if (done)
		free_read(s);
}
