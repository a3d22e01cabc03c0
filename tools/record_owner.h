/*
 * record_owner.h - which repository a record of a log is about, without decoding it.
 * Pure: a payload in, names out.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

enum record_kind {
	RECORD_GITHUB, /* an issue's or a repository's: owner and repo are known */
	RECORD_GIT,
	RECORD_GERRIT,
	RECORD_OTHER, /* none of these: maintner knows no such record */
};

struct record_owner {
	enum record_kind kind;
	struct slice owner, repo; /* borrowed from the payload; empty unless RECORD_GITHUB */
};

/*
 * Read the two names out of a Mutation (mutation-log/mutation.proto): fields 1 (owner) and 2
 * (repo) of its field 1 (github_issue) or 3 (github).  ERR_CORRUPT when the payload is no
 * protobuf message (https://protobuf.dev/programming-guides/encoding/).
 */
int record_owner_of(struct slice payload, struct record_owner *ret, struct err_info *ei);
