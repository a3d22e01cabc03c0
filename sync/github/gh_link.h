/*
 * gh_link.h - URLs in GitHub's answers: the Link header (RFC 8288), and whether
 * a URL stays with the scheme, host and port that the token is for.
 */
#pragma once

#include <stdbool.h>

#include "base/bytes.h"
#include "base/err.h"

/*
 * The target of rel="next", copied with a NUL; "" when there is none.
 * ERR_PROTO for a header that is not of the form, ERR_LIMIT if it does not fit.
 */
int gh_link_next(struct slice header, char *out, size_t size);

/* True if `url` has the scheme, host and port of `base`. */
bool gh_same_origin(const char *base, const char *url);
