/* store_gcs_module.c - the way into the module: the only symbol that it exports. */
#include "base/store/store_gcs_module.h"

extern const struct store_gcs_module store_gcs_module;

__attribute__((visibility("default"))) const struct store_gcs_module store_gcs_module = {
	.version = MAINTNER_VERSION,
	.open = store_gcs_new,
};
