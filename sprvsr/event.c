/* event.c - see event.h; must not send them. */
#include "sprvsr/event.h"

#include <stdio.h>

#include "base/json_text.h"

#define BURST 25.0
#define PER_S 1.0

static bool
take(struct event_pace *p, int64_t now_ms)
{
	if (p->filled_ms == 0)
		p->tokens = BURST;
	else
		p->tokens += (double)(now_ms - p->filled_ms) * PER_S / 1000.0;
	if (p->tokens > BURST)
		p->tokens = BURST;
	p->filled_ms = now_ms;
	if (p->tokens < 1)
		return false;
	p->tokens -= 1;
	return true;
}

static void
text(struct buf *b, const char *name, const char *value)
{
	buf_fmt(b, ",\"%s\":", name);
	json_text_quote(b, slice_str(value));
}

int
event_make(struct event_pace *p, const char *namespace_name, const char *manager,
    const struct job *j, int64_t now_ms, char **ret)
{
	static const char *const reasons[ACTS] = { "Created", "Updated", "Repaired",
		"Removed" };
	bool deployment = j->action.kind == KIND_DEPLOYMENT;
	char now[TIME_TEXT_MAX], name[96], message[700];
	int64_t real = clock_real_ms();
	struct buf b;
	int rc;

	if (!take(p, now_ms))
		return ERR_RATE;
	time_format(real - real % 1000, now);
	snprintf(name, sizeof(name), "%s.%08x%08x", j->action.name,
	    (unsigned)(k8s_random() * 4294967295.0), (unsigned)(k8s_random() * 4294967295.0));
	snprintf(message, sizeof(message), "%s%s%s", j->repo, j->rc != 0 ? ": " : "",
	    j->rc != 0 ? j->ei.text : "");
	buf_init(&b, 16384);
	buf_str(&b, "{\"apiVersion\":\"v1\",\"kind\":\"Event\",\"metadata\":{\"name\":");
	json_text_quote(&b, slice_str(name));
	text(&b, "namespace", namespace_name);
	buf_fmt(&b, "},\"involvedObject\":{\"kind\":\"%s\",\"apiVersion\":\"%s\"",
	    deployment ? "Deployment" : "Service", deployment ? "apps/v1" : "v1");
	text(&b, "namespace", namespace_name);
	text(&b, "name", j->action.name);
	if (j->action.uid[0] != '\0')
		text(&b, "uid", j->action.uid);
	buf_fmt(&b, "},\"type\":\"%s\"", j->rc == 0 ? "Normal" : "Warning");
	text(&b, "reason", j->rc == 0 ? reasons[j->action.verb] : "Failed");
	text(&b, "message", message);
	text(&b, "firstTimestamp", now);
	text(&b, "lastTimestamp", now);
	buf_str(&b, ",\"count\":1,\"source\":{\"component\":");
	json_text_quote(&b, slice_str(manager));
	buf_str(&b, "}}");
	*ret = buf_take(&b, NULL);
	rc = *ret != NULL ? 0 : ERR_NOMEM;
	buf_clear(&b);
	return rc;
}
