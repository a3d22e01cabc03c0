/* fuzz_repo_list.c - repository lists: what is taken is sorted, legal and found again. */
#include <stdlib.h>
#include <strings.h>

#include "base/repo_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	struct repo_list l;

	if (repo_list_parse(text, NULL, NULL, &l, NULL) != 0)
		return 0;
	for (size_t i = 0; i < l.count; i++) {
		const struct repo_entry *e = &l.items[i];
		struct slice owner = { e->name, e->owner_len };
		struct slice name = slice_str(e->name + e->owner_len + 1);

		if (!repo_part_ok(owner) || !repo_part_ok(name) ||
		    e->name[e->owner_len] != '/' || strlen(e->sha) != SHA224_HEX_LEN)
			abort();
		if (i > 0 && strcasecmp(l.items[i - 1].name, e->name) >= 0)
			abort();
		if (repo_list_find(&l, owner, name) != e)
			abort();
	}
	repo_list_clear(&l);
	return 0;
}
