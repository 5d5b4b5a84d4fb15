/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* strerrordesc_np */
#include "log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include <fuse_log.h>

enum { LONGEST_TEXT = 1024, LONGEST_LINE = 4096 };

void fat_log_to_syslog(struct fat_log *log)
{
    tzset(); /* else it would read the time zone with the first message */
    openlog("fatward", LOG_PID | LOG_NDELAY, LOG_DAEMON);
    atomic_store(&log->sink, FAT_LOG_SYSLOG);
}

void fat_log_escape(const char *text, char *line, size_t size)
{
    size_t used = 0;

    for (; *text && used + sizeof("\\xNN") <= size; text++) {
        const unsigned char byte = (unsigned char)*text;

        if (byte >= 0x20 && byte < 0x7f && byte != '\\') {
            line[used++] = *text;
        } else {
            used += (size_t)snprintf(line + used, size - used, "\\x%02x", byte);
        }
    }
    line[used] = '\0';
}

static void say_to_journal(const char *image, int level, const char *text)
{
    char whole[LONGEST_TEXT];
    char line[LONGEST_LINE];

    (void)snprintf(whole, sizeof(whole), "%s%s%s", image, image[0] ? ": " : "", text);
    fat_log_escape(whole, line, sizeof(line));
    /* one write a line, so that threads don't mix theirs */
    (void)fprintf(stderr, "<%d>fatward: %s\n", level, line);
}

static void say_for_libfuse(enum fuse_log_level level, const char *format, va_list list)
        __attribute__((format(printf, 2, 0)));
static void say_for_libfuse(enum fuse_log_level level, const char *format, va_list list)
{
    char text[LONGEST_TEXT];

    (void)vsnprintf(text, sizeof(text), format, list);
    text[strcspn(text, "\n")] = '\0';
    say_to_journal("", (int)level, text);
}

void fat_log_to_journal(struct fat_log *log)
{
    fuse_set_log_func(say_for_libfuse);
    atomic_store(&log->sink, FAT_LOG_JOURNAL);
}

void fat_log_tame(const char *text, char *line, size_t size)
{
    size_t used = 0;

    for (; text[used] && used + 1 < size; used++) {
        line[used] = text[used];
        if ((unsigned char)text[used] < 0x20 || text[used] == 0x7f) {
            line[used] = '?';
        }
    }
    line[used] = '\0';
}

static void say(struct fat_log *log, int level, const char *text)
{
    char image[LONGEST_LINE];

    fat_log_tame(log->image, image, sizeof(image));
    switch (atomic_load(&log->sink)) {
    case FAT_LOG_SYSLOG:
        syslog(level, "%s: %s", image, text);
        break;
    case FAT_LOG_JOURNAL:
        say_to_journal(log->image, level, text);
        break;
    case FAT_LOG_STDERR:
        (void)fprintf(stderr, "fatward: %s: %s\n", image, text);
        break;
    }
}

void fat_log_say(struct fat_log *log, bool is_error, const char *text)
{
    say(log, is_error ? LOG_ERR : LOG_WARNING, text);
}

void fat_log_note(struct fat_log *log, const char *text)
{
    say(log, LOG_INFO, text);
}

void fat_log_say_err(struct fat_log *log, const char *what, fat_err err)
{
    char text[LONGEST_TEXT];

    (void)snprintf(text, sizeof(text), "%s: %s", what, fat_err_text(err));
    fat_log_say(log, true, text);
}

void fat_log_say_errno(struct fat_log *log, const char *what, int error)
{
    const char *name = strerrordesc_np(error); /* a mount helper may invent some */
    char text[LONGEST_TEXT];

    (void)snprintf(text, sizeof(text), "%s: %s", what, name ? name : "unknown error");
    fat_log_say(log, true, text);
}

void fat_log_report(void *context, const struct fat_report *report)
{
    struct fat_log *log = context;
    char text[LONGEST_TEXT], tame[LONGEST_TEXT];
    char place[64] = "";

    if (report->cluster) {
        (void)snprintf(place, sizeof(place), " (cluster %" PRIu32 ")", report->cluster);
    } else if (report->sector) {
        (void)snprintf(place, sizeof(place), " (sector %" PRIu64 ")", report->sector);
    }
    /* It may quote names from the medium, and these drive terminals if they can. */
    (void)snprintf(text, sizeof(text), "%s%s", report->text, place);
    fat_log_tame(text, tame, sizeof(tame));
    fat_log_say(log, report->severity == FAT_SEVERITY_DAMAGE, tame);
}
