/*
 * gh_settings.h - the flags by which a program is told how to ask GitHub.
 */
#pragma once

#include "base/conf.h"
#include "sync/github/gh_client.h"

/* Texts are borrowed from argv and the environment. */
struct gh_settings {
	const char *url, *token_file, *token, *app_id, *app_key_file;
	int64_t installation_id;
};

/* Their values before conf_read(). */
#define GH_SETTINGS_DEFAULT                                                                    \
	{                                                                                      \
		.url = "https://api.github.com"                                                \
	}

/* Their rows in a table of struct conf_option; `whose` is the installation that is used
 * when none is named, for --help. */
/* clang-format off */
#define GH_SETTINGS_ROWS(s, whose)                                                             \
	{ .name = "github-url", .target = &(s)->url, .value = "URL",                           \
	    .help = "API root [https://api.github.com]" },                                     \
	{ .name = "token-file", .target = &(s)->token_file, .value = "FILE",                   \
	    .help = "file with GitHub tokens, one a line [$GITHUB_TOKEN]" },                   \
	{ .name = "app-id", .target = &(s)->app_id, .value = "ID",                             \
	    .help = "id of a GitHub App to act as, instead of a token" },                      \
	{ .name = "app-key-file", .target = &(s)->app_key_file, .value = "FILE",               \
	    .help = "the App's private key in PEM form" },                                     \
	{ .name = "installation-id", .type = CONF_NUMBER, .target = &(s)->installation_id,     \
	    .low = 1, .high = INT64_MAX, .value = "N",                                         \
	    .help = "the App's installation [" whose "]" }
/* clang-format on */

/*
 * After conf_read(): take GITHUB_TOKEN where no other credential is named.  ERR_INVAL, with
 * a text for the user, for credentials that exclude or need each other.
 */
int gh_settings_finish(struct gh_settings *s, struct err_info *ei);
/* Options for gh_new() with these settings and nothing else. */
struct gh_opts gh_settings_opts(const struct gh_settings *s);
