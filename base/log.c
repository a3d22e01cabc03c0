/* log.c - builds a line in a buffer and writes it with one system call. */
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json_text.h"

#define LOG_LINE_MAX ((size_t)16 << 10)
#define LOG_MESSAGE_CUT 2048 /* escapes make at most six bytes of one: it fits a line */

static const char *log_program = "maintner";
static const char *log_repo;
static enum log_severity log_lowest = LOG_SEV_INFO;

void
log_setup(const char *program, const char *repo, enum log_severity lowest)
{
	log_program = program;
	log_repo = repo;
	log_lowest = lowest;
}

bool
log_severity_parse(const char *word, enum log_severity *ret)
{
	static const char *const words[] = { "debug", "info", "warning", "error" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(word, words[i]) == 0) {
			*ret = (enum log_severity)i;
			return true;
		}
	}
	return false;
}

static void
add_text(struct buf *b, const char *name, const char *text)
{
	buf_str(b, ",\"");
	buf_str(b, name);
	buf_str(b, "\":");
	json_text_quote(b, slice_str(text));
}

static void
add_head(struct buf *b, enum log_severity severity, const char *message)
{
	static const char *const names[] = { "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL" };
	char now[TIME_TEXT_MAX];

	time_format(clock_real_ms(), now);
	buf_fmt(b, "{\"timestamp\":\"%s\",\"severity\":\"%s\"", now, names[severity]);
	add_text(b, "message", message);
	add_text(b, "program", log_program);
	if (log_repo != NULL)
		add_text(b, "repo", log_repo);
}

/* A line over the limit keeps its message, or the beginning of that. */
static void
shorten(struct buf *b, enum log_severity severity, const char *message)
{
	char begin[LOG_MESSAGE_CUT];

	snprintf(begin, sizeof(begin), "%s", message);
	buf_reset(b);
	add_head(b, severity, begin);
	buf_str(b, ",\"truncated\":1}\n");
}

static void
build_line(struct buf *out, enum log_severity severity, const char *message,
    const struct log_field *fields)
{
	struct buf b;

	buf_init(&b, LOG_LINE_MAX);
	add_head(&b, severity, message);
	for (const struct log_field *f = fields; f->name != NULL; f++) {
		if (f->text != NULL)
			add_text(&b, f->name, f->text);
		else
			buf_fmt(&b, ",\"%s\":%lld", f->name, (long long)f->number);
	}
	buf_str(&b, "}\n");
	if (buf_err(&b) != 0)
		shorten(&b, severity, message);
	if (buf_err(&b) == 0)
		buf_slice(out, buf_view(&b));
	buf_clear(&b);
}

void
log_append(struct buf *out, enum log_severity severity, const char *message,
    const struct log_field *fields)
{
	if (severity >= log_lowest)
		build_line(out, severity, message, fields);
}

/* A pipe may take a long text in parts. */
void
log_flush(struct buf *out)
{
	size_t done = 0;

	while (done < out->len) {
		ssize_t n = write(STDERR_FILENO, out->ptr + done, out->len - done);

		if (n < 0 && errno != EINTR)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	buf_reset(out);
}

void
log_write(enum log_severity severity, const char *message, const struct log_field *fields)
{
	struct buf b;

	if (severity < log_lowest)
		return;
	buf_init(&b, LOG_LINE_MAX);
	build_line(&b, severity, message, fields);
	log_flush(&b);
	buf_clear(&b);
}
