/*
 * repo_urls.h - where the logs of a list's repositories are by a template, looked at for
 * all of them before anything is done to one.
 */
#pragma once

#include "base/repo_list.h"

/*
 * Append the URL of a store as it is to be compared: without slashes at its end, and
 * that of a folder without double ones.  The buffer's latched error is the result.
 */
int repo_url_normalize(const char *url, struct buf *out);

/*
 * ERR_INVAL when the template has an unknown word or two repositories have one place; both
 * are named, and so is `flag`, which the template is the value of.
 */
int repo_urls_check(
    const char *flag, const char *template, const struct repo_list *list, struct err_info *ei);
/* ERR_INVAL when the place of a repository by `to` is one of those by `from`. */
int repo_urls_check_apart(
    const char *from, const char *to, const struct repo_list *list, struct err_info *ei);
