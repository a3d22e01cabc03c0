/*
 * gh_node_id.h - GitHub's global node ids, as far as they name a REST id.
 *
 * Most event types of the GraphQL API have no databaseId, only `id`.  Two forms are
 * in use, neither documented, both measured on 11,000 events, reviews and comments
 * that carried node_id and id (all of them agreed):
 *   older  base64 of "012:LabeledEvent4673893179": length and name of the type, number
 *   newer  "LE_" + base64url of a MessagePack array [0, repository id, ..., number]
 * Whoever cannot read one asks REST instead: nothing may depend on them alone.
 */
#pragma once

#include <stdint.h>

/*
 * The REST id in *ret, which is untouched on failure.  ERR_UNSUPPORTED for any other
 * form, and for numbers that are no positive 63-bit integers.
 */
int gh_node_id_number(const char *id, int64_t *ret);
