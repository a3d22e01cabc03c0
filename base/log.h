/*
 * log.h - structured logs: one JSON object a line on stderr.
 *
 *   {"timestamp":"2026-11-24T04:13:23.120Z","severity":"INFO",
 *    "message":"round finished","program":"maintnerd-sync","repo":"o/r","requests":12}
 *
 * Field names and severities are those that Cloud Logging recognises
 * (https://cloud.google.com/logging/docs/structured-logging).  Only programs
 * log; libraries return errors.  Never pass a secret.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct buf;

enum log_severity {
	LOG_SEV_DEBUG,
	LOG_SEV_INFO,
	LOG_SEV_WARNING,
	LOG_SEV_ERROR,
	LOG_SEV_CRITICAL,
};

/* One field of a line; text may be any bytes, they are escaped. */
struct log_field {
	const char *name;
	const char *text; /* used if not NULL */
	int64_t number;   /* used otherwise */
};

#define LOG_S(name, text) ((struct log_field){ (name), (text) != NULL ? (text) : "", 0 })
#define LOG_I(name, number) ((struct log_field){ (name), NULL, (int64_t)(number) })

/* Name the program, and the repository it serves (may be NULL), for every line. */
void log_setup(const char *program, const char *repo, enum log_severity lowest);

/* "debug", "info", "warning", "error"; false for another word. */
bool log_severity_parse(const char *word, enum log_severity *ret);

/* Write a line; `fields` ends with one whose name is NULL. */
void log_write(enum log_severity severity, const char *message, const struct log_field *fields);

/* Append the line to `out` instead, for a program that writes many of them at once. */
void log_append(struct buf *out, enum log_severity severity, const char *message,
    const struct log_field *fields);
void log_flush(struct buf *out); /* write what was appended, and empty it */

/* log_info("round finished", LOG_I("requests", 12), LOG_S("family", "issues"), LOG_END); */
#define LOG_END ((struct log_field){ NULL, NULL, 0 })
#define LOG_AT(severity, message, ...)                                                         \
	log_write((severity), (message), (const struct log_field[]){ __VA_ARGS__ })
#define log_debug(message, ...) LOG_AT(LOG_SEV_DEBUG, message, __VA_ARGS__)
#define log_info(message, ...) LOG_AT(LOG_SEV_INFO, message, __VA_ARGS__)
#define log_warning(message, ...) LOG_AT(LOG_SEV_WARNING, message, __VA_ARGS__)
#define log_error(message, ...) LOG_AT(LOG_SEV_ERROR, message, __VA_ARGS__)
