/*
 * csv.h - issues as rows of a table: RFC 4180, UTF-8, lines end with CR LF.
 */
#pragma once

#include "base/buf.h"
#include "fcgi/fields.h"

/* Fields that are no columns: lists of objects with members of their own. */
#define CSV_FIELDS_NONE                                                                        \
	(FIELD_BIT(FIELD_COMMENTS) | FIELD_BIT(FIELD_REVIEWS) |                                \
	    FIELD_BIT(FIELD_REVIEW_COMMENTS))

/* The names of the columns. */
void csv_head(uint64_t fields, struct buf *out);

/*
 * One issue.  Texts as they are; null is an empty cell; users are logins, lists are joined
 * with ", "; of a milestone its title, of base and head the ref, of reactions the count.
 * Unless `raw`, a text that a spreadsheet could take for a formula (it begins with = + - @,
 * tab or carriage return) gets an apostrophe in front.  ERR_CORRUPT, ERR_NOMEM.
 */
int csv_row(struct snap_view *v, const struct snap_issue *i, uint64_t fields, bool raw,
    struct buf *scratch, struct buf *out);
