/*
 * fuzz_fields.c - field masks: what parses is the union of its names, and what the mask of
 * the paths it picked gives is the same again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fcgi/fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
add_name(struct buf *b, unsigned f, const char *path)
{
	if (b->len > 0)
		buf_char(b, ',');
	buf_str(b, field_key(f));
	if (path != NULL) {
		buf_char(b, '.');
		buf_str(b, path);
	}
}

/* The mask that asks for this and no more. */
static void
write_mask(struct buf *b, uint64_t fields, const struct field_paths *paths)
{
	const char *path;

	for (unsigned f = 0; f < FIELD_COUNT; f++) {
		if ((fields & FIELD_BIT(f)) == 0)
			continue;
		if (paths->of[f] == 0)
			add_name(b, f, NULL);
		for (unsigned n = 0; (path = field_path(f, n)) != NULL; n++) {
			if ((paths->of[f] >> n & 1) != 0)
				add_name(b, f, path);
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice mask = { (const char *)data, size };
	struct field_paths paths, again_paths;
	uint64_t fields = 0, again = 0;
	struct buf b;

	if (fields_parse(mask, &fields, &paths, NULL) != 0)
		return 0;
	if (fields == 0 || fields >= FIELD_BIT(FIELD_COUNT) || (paths.picked & ~fields) != 0)
		abort();
	buf_init(&b, (size_t)1 << 16);
	write_mask(&b, fields, &paths);
	if (buf_err(&b) != 0 || fields_parse(buf_view(&b), &again, &again_paths, NULL) != 0)
		abort();
	/* An empty mask stands for what it need not name. */
	if (again != fields || memcmp(&paths, &again_paths, sizeof(paths)) != 0)
		abort();
	buf_clear(&b);
	return 0;
}
