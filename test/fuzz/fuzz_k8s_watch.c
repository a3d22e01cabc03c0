/* fuzz_k8s_watch.c - a watch's stream: cut anywhere it means the same. */
#include <stdlib.h>

#include "sprvsr/k8s_watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
on_put(void *ctx, const json_t *object, struct err_info *ei)
{
	(void)object;
	(void)ei;
	++*(unsigned *)ctx;
	return 0;
}

static void
on_removed(void *ctx, const json_t *object)
{
	(void)object;
	++*(unsigned *)ctx;
}

static int
feed(const uint8_t *data, size_t size, size_t step, unsigned *count)
{
	static const struct k8s_watch_events events = { .put = on_put, .removed = on_removed };
	struct k8s_watch w;
	int rc = 0;

	k8s_watch_init(&w, NULL, "/x", &events, count);
	for (size_t at = 0; at < size && rc == 0; at += step)
		rc = k8s_watch_feed(&w, (struct slice){ (const char *)data + at,
					    size - at < step ? size - at : step });
	k8s_watch_clear(&w);
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned whole = 0, pieces = 0;
	int rc = feed(data, size, size + 1, &whole);

	if (feed(data, size, 3, &pieces) != rc || whole != pieces)
		abort();
	return 0;
}
