/*
 * mem.h - heap allocation that tests can make fail.
 *
 * The same contracts as malloc, calloc, realloc and free.  In builds with
 * MAINTNER_FAULTS a test can let the Nth allocation of the process fail.
 */
#pragma once

#include <stddef.h>

#define MEM_NEVER (-1L)

void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
void *mem_calloc(size_t count, size_t size);   /* zeroed; NULL on overflow */
void *mem_realloc(void *ptr, size_t size);     /* size > 0; ptr stays valid on NULL */
char *mem_strdup(const char *text);            /* NULL in gives NULL out */
char *mem_memdup(const void *src, size_t len); /* copy plus one NUL byte after it */
void mem_free(void *ptr);

/*
 * Let `n` more allocations succeed, then fail one; MEM_NEVER turns it off.
 * Does nothing in builds without MAINTNER_FAULTS.
 */
void mem_fail_after(long n);
