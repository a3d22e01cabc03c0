/* mem.c - the allocator that every module uses, with failures on demand. */
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef MAINTNER_FAULTS
#include <stdatomic.h>

static atomic_long fail_after = MEM_NEVER;

void
mem_fail_after(long n)
{
	atomic_store(&fail_after, n);
}

static int
must_fail(void)
{
	long left = atomic_load(&fail_after);

	if (left == MEM_NEVER)
		return 0;
	if (left == 0) {
		atomic_store(&fail_after, MEM_NEVER);
		return 1;
	}
	atomic_store(&fail_after, left - 1);
	return 0;
}
#else
void
mem_fail_after(long n)
{
	(void)n;
}

static int
must_fail(void)
{
	return 0;
}
#endif

void *
mem_alloc(size_t size)
{
	return must_fail() ? NULL : malloc(size);
}

void *
mem_zalloc(size_t size)
{
	return must_fail() ? NULL : calloc(1, size);
}

void *
mem_calloc(size_t count, size_t size)
{
	return must_fail() ? NULL : calloc(count, size);
}

void *
mem_realloc(void *ptr, size_t size)
{
	return must_fail() ? NULL : realloc(ptr, size);
}

char *
mem_memdup(const void *src, size_t len)
{
	char *copy;

	if (len == SIZE_MAX)
		return NULL;
	copy = mem_alloc(len + 1);
	if (copy == NULL)
		return NULL;
	if (len > 0)
		memcpy(copy, src, len);
	copy[len] = '\0';
	return copy;
}

char *
mem_strdup(const char *text)
{
	return text == NULL ? NULL : mem_memdup(text, strlen(text));
}

void
mem_free(void *ptr)
{
	free(ptr);
}
