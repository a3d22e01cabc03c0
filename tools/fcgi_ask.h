/*
 * fcgi_ask.h - one question to a FastCGI socket of ours, answered in JSON.
 */
#pragma once

#include "base/addr.h"
#include "base/json.h"

struct fcgi_question {
	const char *who; /* for messages: "the router" */
	const struct addr *addr;
	const char *method, *target;
	const char *secret; /* X-Maintner-Secret; NULL: none is sent */
	struct slice body;
	unsigned timeout_ms;
};

/*
 * Ask.  An answer that is not 2xx is an error as http_status_err() has it, with its
 * google.rpc.Status' message.  The caller json_decref()s *ret; *ret_status may be NULL.
 */
int fcgi_ask(const struct fcgi_question *q, json_t **ret, int *ret_status, struct err_info *ei);
