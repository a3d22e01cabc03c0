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

struct event
event_of_job(const struct job *j, char *message, size_t size)
{
	static const char *const reasons[ACTS] = { "Created", "Updated", "Repaired",
		"Removed" };
	bool deployment = j->action.kind == KIND_DEPLOYMENT, failed = j->rc != 0;

	snprintf(
	    message, size, "%s%s%s", j->repo, failed ? ": " : "", failed ? j->ei.text : "");
	return (struct event){ .api_version = deployment ? "apps/v1" : "v1",
		.kind = deployment ? "Deployment" : "Service",
		.name = j->action.name,
		.uid = j->action.uid,
		.warning = failed,
		.reason = failed ? "Failed" : reasons[j->action.verb],
		.message = message };
}

int
event_make(struct event_pace *p, const char *namespace_name, const char *manager,
    const struct event *e, int64_t now_ms, char **ret)
{
	char now[TIME_TEXT_MAX], name[300];
	int64_t real = clock_real_ms();
	struct buf b;
	int rc;

	if (!take(p, now_ms))
		return ERR_RATE;
	time_format(real - real % 1000, now);
	snprintf(name, sizeof(name), "%.230s.%08x%08x", e->name,
	    (unsigned)(k8s_random() * 4294967295.0), (unsigned)(k8s_random() * 4294967295.0));
	buf_init(&b, 16384);
	buf_str(&b, "{\"apiVersion\":\"v1\",\"kind\":\"Event\",\"metadata\":{\"name\":");
	json_text_quote(&b, slice_str(name));
	text(&b, "namespace", namespace_name);
	buf_str(&b, "},\"involvedObject\":{\"kind\":");
	json_text_quote(&b, slice_str(e->kind));
	text(&b, "apiVersion", e->api_version);
	text(&b, "namespace", namespace_name);
	text(&b, "name", e->name);
	if (e->uid[0] != '\0')
		text(&b, "uid", e->uid);
	buf_fmt(&b, "},\"type\":\"%s\"", e->warning ? "Warning" : "Normal");
	text(&b, "reason", e->reason);
	text(&b, "message", e->message);
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
