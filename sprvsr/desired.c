/* desired.c - names, labels, keys, and the set of all that is wanted. */
#include "sprvsr/desired.h"

#include <ctype.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/mem.h"

void
desired_collection(enum kind kind, const char *namespace_name, char out[COLLECTION_MAX])
{
	snprintf(out, COLLECTION_MAX,
	    kind == KIND_DEPLOYMENT ? "/apis/apps/v1/namespaces/%.63s/deployments"
				    : "/api/v1/namespaces/%.63s/services",
	    namespace_name);
}

void
desired_name(enum kind kind, const char *sha, char out[OBJECT_NAME_MAX])
{
	snprintf(
	    out, OBJECT_NAME_MAX, "mtr-%c-%.56s", kind == KIND_DEPLOYMENT ? 'd' : 's', sha);
}

void
desired_label(struct slice text, char out[LABEL_VALUE_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < text.len && n < LABEL_VALUE_MAX - 1; i++) {
		char c = text.ptr[i];
		bool alnum = isalnum((unsigned char)c) && (unsigned char)c < 128;

		if (n == 0 && !alnum)
			continue;
		out[n++] = alnum || c == '-' || c == '_' || c == '.' ? c : '-';
	}
	while (n > 0 && !isalnum((unsigned char)out[n - 1]))
		n--;
	out[n] = '\0';
}

/*
 * Rendezvous hashing: every key has a weight for every repository that no other key has a
 * part in, so a key that goes leaves all others with what they had.
 */
const char *
desired_key(const struct desired_opts *o, const struct repo_entry *e)
{
	const char *best = NULL;
	uint64_t most = 0;

	for (size_t i = 0; i < o->key_count; i++) {
		uint64_t h = hash64_add(HASH64_START, slice_str(o->keys[i]));
		uint64_t weight =
		    hash64_end(hash64_add(hash64_add(h, SLICE("\n")), slice_str(e->sha)));

		if (best == NULL || weight > most ||
		    (weight == most && strcmp(o->keys[i], best) < 0)) {
			best = o->keys[i];
			most = weight;
		}
	}
	return best;
}

static int
fill_item(struct desired *d, struct desired_item *item, struct buf *scratch)
{
	int rc = 0;

	for (enum kind k = 0; k < KINDS && rc == 0; k++) {
		buf_reset(scratch);
		desired_name(k, item->entry->sha, item->names[k]);
		rc = desired_render(d->opts, item->entry, k, false, scratch, item->hashes[k]);
	}
	return rc != 0 ? rc : names_put(&d->by_sha, item->entry->sha, item);
}

int
desired_build(const struct desired_opts *opts, struct repo_list *list, struct desired *ret)
{
	struct desired d = { .opts = opts, .list = *list };
	struct buf scratch;
	int rc = 0;

	*list = (struct repo_list){ .items = NULL };
	d.items = mem_calloc(d.list.count + 1, sizeof(*d.items));
	if (d.items == NULL)
		rc = ERR_NOMEM;
	buf_init(&scratch, OBJECT_BYTES_MAX);
	for (size_t i = 0; i < d.list.count && rc == 0; i++) {
		d.items[i].entry = &d.list.items[i];
		rc = fill_item(&d, &d.items[i], &scratch);
	}
	buf_clear(&scratch);
	if (rc == 0)
		*ret = d;
	else
		desired_clear(&d);
	return rc;
}

void
desired_clear(struct desired *d)
{
	names_clear(&d->by_sha, NULL);
	mem_free(d->items);
	repo_list_clear(&d->list);
	*d = (struct desired){ .items = NULL };
}
