/* fuzz_kubeconfig.c - files that people write; what was read is whole, or nothing was. */
#include <stdlib.h>

#include "sprvsr/k8s_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	struct k8s_config c = { .server = NULL };
	int rc = k8s_config_parse(text, "/nonexistent", &c, NULL);

	if ((rc == 0) != (c.server != NULL && c.namespace_name != NULL))
		abort();
	k8s_config_clear(&c);
	return 0;
}
