/* gh_settings.c - see gh_settings.h. */
#include "sync/github/gh_settings.h"

#include <stdlib.h>

int
gh_settings_finish(struct gh_settings *s, struct err_info *ei)
{
	if (s->token_file == NULL && s->app_id == NULL)
		s->token = getenv("GITHUB_TOKEN");
	if (s->token != NULL && s->token[0] == '\0')
		s->token = NULL;
	if (s->app_id != NULL && s->token_file != NULL)
		return err_set(
		    ei, ERR_INVAL, "--app-id and --token-file exclude each other (see --help)");
	if ((s->app_id == NULL) != (s->app_key_file == NULL))
		return err_set(
		    ei, ERR_INVAL, "--app-id and --app-key-file need each other (see --help)");
	if (s->app_id == NULL && s->installation_id != 0)
		return err_set(ei, ERR_INVAL, "--installation-id needs --app-id (see --help)");
	return 0;
}

#ifdef MAINTNER_FAULTS
static int64_t
test_number(const char *variable)
{
	const char *text = getenv(variable);

	return text != NULL ? strtoll(text, NULL, 10) : 0;
}
#endif

struct gh_opts
gh_settings_opts(const struct gh_settings *s)
{
	return (struct gh_opts){
#ifdef MAINTNER_FAULTS /* real waits are too long for tests */
		.time_scale = test_number("MAINTNER_TIME_SCALE"),
		.points_per_minute = test_number("MAINTNER_POINTS_PER_MINUTE"),
#endif
		.base_url = s->url,
		.token_file = s->token_file,
		.token = s->token,
		.app_id = s->app_id,
		.app_key_file = s->app_key_file,
		.installation_id = s->installation_id
	};
}
