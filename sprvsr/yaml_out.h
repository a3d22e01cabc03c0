/* yaml_out.h - JSON values as YAML that people read (block style, texts quoted). */
#pragma once

#include "base/buf.h"
#include "base/json.h"

/* Append `v` as one document, with "---" before it. */
void yaml_document_out(struct buf *out, const json_t *v);
