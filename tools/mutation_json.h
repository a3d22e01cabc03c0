/*
 * mutation_json.h - any protobuf-c message as JSON, driven by its descriptor.
 */
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "base/buf.h"

/*
 * Append the message: members in lowerCamelCase, defaults left out, times as
 * RFC 3339, bytes as text.  Errors are latched in `out`.
 */
void mutation_json(const ProtobufCMessage *m, struct buf *out);
