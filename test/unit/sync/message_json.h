/*
 * message_json.h - protobuf messages from JSON, so that a test's table can be text.
 *
 * Texts use single quotation marks where JSON has double ones, and names in
 * lowerCamelCase, as mutation_json() prints them; times are RFC 3339.
 */
#pragma once

#include <jansson.h>

#include "base/arena.h"
#include "mutation-log/mlog_mutation.h"

/* Parse a text with single quotation marks; fails the test if it is not JSON. */
json_t *json_of(const char *single_quoted);

/* A mutation in `a`; unknown names fail the test. */
Maintpb__Mutation *mutation_of(struct arena *a, const json_t *json);

/* Fails the test unless both say the same; shows them. */
void assert_json_equal(const json_t *got, const json_t *want);
