/*
 * k8s_watch.h - one kind of object of one namespace, listed and then watched for good.
 *
 * Objects go to the owner's functions as they come, on the calling thread.
 */
#pragma once

#include "sprvsr/k8s_client.h"

#define K8S_EVENT_MAX ((size_t)4 << 20) /* one line of a watch */
#define K8S_PAGE 500

struct k8s_watch_events {
	void (*list_begin)(void *ctx);
	/* Another code than 0 ends the list or watch, which begins anew. */
	int (*put)(void *ctx, const json_t *object, struct err_info *ei);
	void (*list_end)(void *ctx); /* all of it has been put */
	void (*removed)(void *ctx, const json_t *object);
	void (*trouble)(void *ctx, int rc, const char *text); /* it goes on by itself */
};

struct k8s_watch {
	struct k8s_client *client;
	const char *path; /* of the collection, e.g. "/apis/apps/v1/namespaces/x/deployments" */
	const struct k8s_watch_events *events;
	void *ctx;
	char version[64]; /* resourceVersion to go on from; "" lists */
	struct buf line;  /* of the stream, until its end */
	int stream_err;
	struct err_info ei;
};

void k8s_watch_init(struct k8s_watch *w, struct k8s_client *client, const char *path,
    const struct k8s_watch_events *events, void *ctx);
void k8s_watch_clear(struct k8s_watch *w);

/* The whole list, page by page.  ERR_GONE when a page's continuation has expired. */
int k8s_list(struct k8s_watch *w, struct err_info *ei);
/* Bytes of a watch's answer; also what the fuzz target calls. */
int k8s_watch_feed(struct k8s_watch *w, struct slice piece);
/* List and watch until the client's cancel says to stop; returns ERR_CANCELED. */
int k8s_watch_run(struct k8s_watch *w);
