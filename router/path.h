/*
 * path.h - which resource a raw request target names.
 *
 * The target is judged as the client sent it (REQUEST_URI), since whatever decodes it
 * later must come to the same resource: what two readers could read differently is
 * refused here and never reaches a backend.  Pure.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "base/repo_list.h"

#define PATH_MAX_BYTES 4096 /* of a path without its query */

enum path_route {
	PATH_UNKNOWN,
	PATH_REPOSITORY,   /* /api/v1/{owner}/{repo} and everything below */
	PATH_REPOSITORIES, /* /api/v1/owners/{owner}/repositories */
	PATH_UPDATE,
	PATH_WEBHOOK,
	PATH_HEALTH,
	PATH_METRICS,
};

struct path {
	enum path_route route;
	char owner[REPO_PART_MAX + 1]; /* decoded; "-" may stand for all under REPOSITORIES */
	char repo[REPO_PART_MAX + 1];
	struct slice whole; /* the path as sent, without its query; borrowed */
	bool log_route;     /* below a repository: its log, which may be waited for */
};

/*
 * ERR_INVAL, with what is wrong, for a target that must not be passed on: it does not
 * begin with '/', has an empty part, "." or "..", an encoded '/', '\', ';', NUL or other
 * control, a raw one, or a broken percent code.  ERR_LIMIT.  Names that are no GitHub
 * names are PATH_UNKNOWN.
 */
int path_parse(struct slice target, struct path *ret, struct err_info *ei);
