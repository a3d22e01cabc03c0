/* gh_token.c - lists of tokens: reading, ordering, choosing. */
#include "sync/github/gh_token.h"

#include <ctype.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"

#define CHECK_MS 1000

/* --- tokens --- */

static int
check_token(struct slice text, struct err_info *ei)
{
	if (text.len > GH_TOKEN_MAX)
		return err_set(
		    ei, ERR_LIMIT, "the GitHub token is longer than %d bytes", GH_TOKEN_MAX);
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
			return err_set(ei, ERR_INVAL,
			    "the GitHub token holds a space, a control character or one that "
			    "is not ASCII");
	}
	return text.len > 0 ? 0 : err_set(ei, ERR_INVAL, "the GitHub token is empty");
}

static int
set_digest(struct gh_token *t, struct slice text)
{
	unsigned char raw[SHA256_LEN];
	int rc = sha256(text, raw);

	if (rc == 0)
		hex_encode(raw, (GH_TOKEN_DIGEST - 1) / 2, t->digest);
	return rc;
}

void
gh_token_forget(struct gh_token *t)
{
	if (t->authorize != NULL)
		explicit_bzero(t->authorize, strlen(t->authorize));
	mem_free(t->authorize);
	t->authorize = NULL;
	t->digest[0] = '\0';
}

int
gh_token_set(struct gh_token *t, struct slice text, struct err_info *ei)
{
	struct gh_token fresh = *t;
	struct buf b;
	int rc = check_token(text, ei);

	if (rc == 0)
		rc = set_digest(&fresh, text);
	if (rc != 0)
		return rc;
	buf_init(&b, GH_TOKEN_MAX + 16);
	buf_reserve(&b, text.len + 16); /* at once: growing would leave copies behind */
	buf_str(&b, "Bearer ");
	buf_slice(&b, text);
	fresh.authorize = buf_take(&b, NULL);
	if (fresh.authorize == NULL)
		return ERR_NOMEM;
	gh_token_forget(t);
	*t = fresh;
	return 0;
}

static void
token_init(struct gh_token *t)
{
	*t = (struct gh_token){ .rejected_ms = TIME_NONE };
	for (int r = 0; r < GH_RESOURCES; r++)
		gh_budget_init(&t->budget[r]);
}

/* --- lists --- */

void
gh_tokens_clear(struct gh_tokens *t)
{
	for (size_t i = 0; i < t->count; i++)
		gh_token_forget(&t->items[i]);
	mem_free(t->items);
	*t = (struct gh_tokens){ 0 };
}

int
gh_tokens_none(struct gh_tokens *ret)
{
	struct gh_token *t = mem_alloc(sizeof(*t));
	int rc;

	if (t == NULL)
		return ERR_NOMEM;
	token_init(t);
	rc = set_digest(t, SLICE(""));
	if (rc != 0) {
		mem_free(t);
		return rc;
	}
	*ret = (struct gh_tokens){ t, 1 };
	return 0;
}

/* How much a repository prefers a token: the digest of both. */
static int
set_rank(struct gh_token *t, const char *repository)
{
	unsigned char raw[SHA256_LEN];
	struct buf b;
	int rc;

	buf_init(&b, 4096);
	for (const char *p = repository != NULL ? repository : ""; *p != '\0'; p++)
		buf_char(&b, (char)tolower((unsigned char)*p));
	buf_char(&b, ' ');
	buf_str(&b, t->digest);
	rc = buf_err(&b) != 0 ? buf_err(&b) : sha256(buf_view(&b), raw);
	buf_clear(&b);
	if (rc == 0)
		t->rank = get_be64(raw);
	return rc;
}

static int
add_token(
    struct gh_tokens *list, struct slice text, const char *repository, struct err_info *ei)
{
	struct gh_token *t = &list->items[list->count];
	int rc;

	if (list->count == GH_TOKENS_MAX)
		return err_set(ei, ERR_LIMIT, "more than %d tokens", GH_TOKENS_MAX);
	token_init(t);
	rc = gh_token_set(t, text, ei);
	if (rc == 0)
		rc = set_rank(t, repository);
	for (size_t i = 0; rc == 0 && i < list->count; i++) {
		if (strcmp(list->items[i].digest, t->digest) == 0) {
			gh_token_forget(t);
			return 0;
		}
	}
	if (rc != 0)
		gh_token_forget(t);
	else
		list->count++;
	return rc;
}

static int
by_rank(const void *a, const void *b)
{
	const struct gh_token *x = a, *y = b;

	return x->rank < y->rank ? 1 : x->rank > y->rank ? -1 : 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next line of `rest`, without the blanks around it. */
static struct slice
next_line(struct slice *rest)
{
	const char *nl = memchr(rest->ptr, '\n', rest->len);
	struct slice line = { rest->ptr, nl != NULL ? (size_t)(nl - rest->ptr) : rest->len };
	size_t used = line.len + (nl != NULL ? 1 : 0);

	*rest = (struct slice){ rest->ptr + used, rest->len - used };
	while (line.len > 0 && is_blank(line.ptr[line.len - 1]))
		line.len--;
	while (line.len > 0 && is_blank(line.ptr[0]))
		line = (struct slice){ line.ptr + 1, line.len - 1 };
	return line;
}

int
gh_tokens_parse(
    struct slice text, const char *repository, struct gh_tokens *ret, struct err_info *ei)
{
	struct gh_tokens list = { mem_calloc(GH_TOKENS_MAX + 1, sizeof(*list.items)), 0 };
	int rc = list.items != NULL ? 0 : ERR_NOMEM;

	for (int number = 1; rc == 0 && text.len > 0; number++) {
		struct slice line = next_line(&text);

		if (line.len > 0 && line.ptr[0] != '#')
			rc = add_token(&list, line, repository, ei);
		if (rc != 0)
			err_wrap(ei, rc, "line %d", number);
	}
	if (rc == 0 && list.count == 0)
		rc = err_set(ei, ERR_INVAL, "it holds no token");
	if (rc != 0) {
		gh_tokens_clear(&list);
		return rc;
	}
	qsort(list.items, list.count, sizeof(*list.items), by_rank);
	*ret = list;
	return 0;
}

void
gh_tokens_inherit(struct gh_tokens *fresh, const struct gh_tokens *old)
{
	for (size_t i = 0; i < fresh->count; i++) {
		for (size_t j = 0; j < old->count; j++) {
			if (strcmp(fresh->items[i].digest, old->items[j].digest) == 0)
				memcpy(fresh->items[i].budget, old->items[j].budget,
				    sizeof(fresh->items[i].budget));
		}
	}
}

static void
shift(int64_t *ms, int64_t by)
{
	if (*ms != TIME_NONE)
		*ms += by;
}

void
gh_tokens_shift(struct gh_tokens *t, int64_t by_ms)
{
	for (size_t i = 0; i < t->count; i++) {
		shift(&t->items[i].rejected_ms, by_ms);
		for (int r = 0; r < GH_RESOURCES; r++) {
			shift(&t->items[i].budget[r].hold_until_ms, by_ms);
			shift(&t->items[i].budget[r].seen_ms, by_ms);
			shift(&t->items[i].budget[r].sent_ms, by_ms);
		}
	}
}

/* --- choosing --- */

bool
gh_token_usable(const struct gh_token *t, int64_t now_ms)
{
	return t->rejected_ms == TIME_NONE || now_ms - t->rejected_ms >= GH_REJECTED_MS;
}

/* How bad a token is, and since or until when; the least is taken. */
static int
badness(const struct gh_token *t, enum gh_resource r, bool background, int64_t now_ms,
    int64_t *when)
{
	*when = 0;
	if (!gh_token_usable(t, now_ms)) {
		*when = t->rejected_ms;
		return 2;
	}
	if (!gh_budget_spent(&t->budget[r], background, now_ms))
		return 0;
	*when = t->budget[r].reset_ms;
	return 1;
}

size_t
gh_tokens_choose(const struct gh_tokens *t, enum gh_resource r, bool background, int64_t now_ms)
{
	int64_t best_when = 0;
	int best_how = 3;
	size_t best = 0;

	for (size_t i = 0; i < t->count; i++) {
		int64_t when;
		int how = badness(&t->items[i], r, background, now_ms, &when);

		if (how < best_how || (how == best_how && when < best_when)) {
			best = i;
			best_how = how;
			best_when = when;
		}
	}
	return best;
}

/* --- files --- */

static void
identify(const char *path, uint64_t out[8])
{
	struct stat st;

	memset(out, 0, 8 * sizeof(*out));
	if (stat(path, &st) != 0)
		return;
	out[0] = (uint64_t)st.st_dev;
	out[1] = (uint64_t)st.st_ino;
	out[2] = (uint64_t)st.st_size;
	out[3] = (uint64_t)st.st_mtim.tv_sec;
	out[4] = (uint64_t)st.st_mtim.tv_nsec;
	out[5] = (uint64_t)st.st_ctim.tv_sec; /* a change of rights may let us read it */
	out[6] = (uint64_t)st.st_ctim.tv_nsec;
	out[7] = 1;
}

void
gh_file_init(struct gh_file *f, const char *path)
{
	*f = (struct gh_file){ .path = path, .checked_ms = TIME_NONE };
	identify(path, f->identity);
}

bool
gh_file_changed(struct gh_file *f, int64_t mono_ms)
{
	uint64_t now[8];

	if (f->checked_ms != TIME_NONE && mono_ms - f->checked_ms < CHECK_MS)
		return false;
	f->checked_ms = mono_ms;
	identify(f->path, now);
	if (memcmp(now, f->identity, sizeof(now)) == 0)
		return false;
	memcpy(f->identity, now, sizeof(now));
	return true;
}
