/*
 * store_gcs_module.h - what the module lib/maintner/store-gcs.so exports.
 *
 * The module is a part of the program that loads it: both are built and installed
 * together, share structs, and are of one version.
 */
#pragma once

#include "base/store/store_impl.h"

#define STORE_GCS_MODULE_SYMBOL "store_gcs_module"
/* From the folder of the program's own file. */
#define STORE_GCS_MODULE_PATH "../lib/maintner/store-gcs.so"

struct store_gcs_module {
	const char *version; /* MAINTNER_VERSION of the build */
	/* store_gcs_new() of store_impl.h. */
	int (*open)(const char *url, const struct store_open_opts *opts, struct store **ret,
	    struct err_info *ei);
};
