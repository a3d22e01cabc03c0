/*
 * store_gcs_load.c - store_gcs_new() for programs that must start quickly: loads the
 * module that has it when the first bucket is opened.
 *
 * Loading curl costs some 36 shared objects and 10 ms, which a responder that never opens
 * a bucket need not pay.  The module stays loaded: its libraries register handlers that
 * run when the process ends.
 */
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/store/store_gcs_module.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const struct store_gcs_module *loaded; /* under the lock */

/* The module's path, beside the file of this process. */
static int
find(char path[PATH_MAX], struct err_info *ei)
{
	static const char name[] = STORE_GCS_MODULE_PATH;
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - sizeof(name));
	char *slash;

	if (len <= 0)
		return err_set(ei, ERR_IO, "/proc/self/exe cannot be read");
	path[len] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL)
		return err_set(ei, ERR_IO, "%s: not a path", path);
	memcpy(slash + 1, name, sizeof(name));
	return 0;
}

/* Under the lock. */
static int
load(struct err_info *ei)
{
	const struct store_gcs_module *m;
	char path[PATH_MAX];
	void *handle;
	int rc = find(path, ei);

	if (rc != 0)
		return rc;
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (handle == NULL)
		return err_set(ei, ERR_UNSUPPORTED,
		    "buckets need a module that is not there: %s", dlerror());
	m = dlsym(handle, STORE_GCS_MODULE_SYMBOL);
	if (m == NULL || strcmp(m->version, MAINTNER_VERSION) != 0) {
		dlclose(handle);
		return err_set(ei, ERR_VERSION, "%s: not of this program's version", path);
	}
	loaded = m;
	return 0;
}

int
store_gcs_new(const char *url, const struct store_open_opts *opts, struct store **ret,
    struct err_info *ei)
{
	int rc = 0;

	pthread_mutex_lock(&lock);
	if (loaded == NULL)
		rc = load(ei);
	pthread_mutex_unlock(&lock);
	return rc != 0 ? rc : loaded->open(url, opts, ret, ei);
}
