/*
 * unlisted.h - counts records by repository, for those that nobody asked for.
 */
#pragma once

#include "base/bytes.h"

#define UNLISTED_MAX 100000 /* names; the records of further ones are counted together */

struct unlisted;

int unlisted_new(struct unlisted **ret);                                     /* ERR_NOMEM */
void unlisted_free(struct unlisted *u);                                      /* NULL is fine */
int unlisted_add(struct unlisted *u, struct slice owner, struct slice repo); /* ERR_NOMEM */
/* A line for each, to standard output, the most records first. */
void unlisted_print(const struct unlisted *u);
