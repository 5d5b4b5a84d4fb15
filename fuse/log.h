/* SPDX-License-Identifier: MIT */
/* Where messages go: to standard error, and to syslog once the terminal is gone. */
#ifndef FAT_FUSE_LOG_H
#define FAT_FUSE_LOG_H

#include <stdatomic.h>
#include <stdbool.h>

#include <fatward/report.h>

struct fat_log {
    const char *image;
    atomic_bool to_syslog;
};

/* Leave the terminal to whoever started us. */
void fat_log_detach(struct fat_log *log);

void fat_log_say(struct fat_log *log, bool is_error, const char *text);
void fat_log_say_err(struct fat_log *log, const char *what, fat_err err);

/* A fat_report_fn; @context is the log. */
void fat_log_report(void *context, const struct fat_report *report);

#endif
