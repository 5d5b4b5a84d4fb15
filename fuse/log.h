/* SPDX-License-Identifier: MIT */
/*
 * Where messages go: to standard error; to syslog once the terminal is gone; in a
 * service to the journal, which reads standard error.
 */
#ifndef FAT_FUSE_LOG_H
#define FAT_FUSE_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <fatward/report.h>

enum fat_log_sink { FAT_LOG_STDERR, FAT_LOG_SYSLOG, FAT_LOG_JOURNAL };

struct fat_log {
    const char *image;
    _Atomic(enum fat_log_sink) sink;
};

/* Leave the terminal to whoever started us. Afterwards no path is needed any more. */
void fat_log_to_syslog(struct fat_log *log);

/* libfuse's messages too. Each line with its level; nothing but printable ASCII. */
void fat_log_to_journal(struct fat_log *log);

void fat_log_say(struct fat_log *log, bool is_error, const char *text);
/* What is no problem. */
void fat_log_note(struct fat_log *log, const char *text);
void fat_log_say_err(struct fat_log *log, const char *what, fat_err err);
void fat_log_say_errno(struct fat_log *log, const char *what, int error);

/*
 * Write @text, which is somebody's, as a part of one line that drives no terminal: what
 * is not printable ASCII, and the backslash, as \xNN. Cut off where @size [bytes] ends.
 */
void fat_log_escape(const char *text, char *line, size_t size);

/* As fat_log_escape(), for a terminal or syslog: control characters become '?'. */
void fat_log_tame(const char *text, char *line, size_t size);

/* A fat_report_fn; @context is the log. */
void fat_log_report(void *context, const struct fat_report *report);

#endif
