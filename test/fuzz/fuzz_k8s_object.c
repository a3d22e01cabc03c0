/* fuzz_k8s_object.c - an object of a list, taken in and compared with what is desired. */
#include <stdlib.h>

#include "sprvsr/match.h"
#include "sprvsr/reconcile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct desired_opts opts = { .manager = "maintner-sprvsr" };
	const struct reconcile_opts o = { .batch = 1, .actions_max = 10, .now_ms = 1 };
	struct slice text = { (const char *)data, size };
	struct desired want = { .opts = &opts };
	struct trails trails = { 0 };
	struct plan plan = { .actions = NULL };
	struct observed seen;
	json_t *doc = NULL;

	if (json_in_parse(text, "object", &doc, NULL) != 0)
		return 0;
	if (!match_subset(doc, doc))
		abort();
	observed_init(&seen, opts.manager, "ns");
	for (enum kind k = 0; k < KINDS; k++)
		(void)observed_put(&seen, k, doc, NULL);
	if (reconcile(&want, &seen, &trails, &o, &plan) == 0 && plan.count > 1)
		abort();
	plan_clear(&plan);
	for (enum kind k = 0; k < KINDS; k++)
		observed_remove(&seen, k, doc);
	observed_clear(&seen);
	json_decref(doc);
	return 0;
}
