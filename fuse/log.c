/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <inttypes.h>
#include <stdio.h>
#include <syslog.h>

enum { LONGEST_TEXT = 1024 };

void fat_log_detach(struct fat_log *log)
{
    openlog("fatward", LOG_PID, LOG_DAEMON);
    atomic_store(&log->to_syslog, true);
}

void fat_log_say(struct fat_log *log, bool is_error, const char *text)
{
    if (atomic_load(&log->to_syslog)) {
        syslog(is_error ? LOG_ERR : LOG_WARNING, "%s: %s", log->image, text);
    } else {
        (void)fprintf(stderr, "fatward: %s: %s\n", log->image, text);
    }
}

void fat_log_say_err(struct fat_log *log, const char *what, fat_err err)
{
    char text[LONGEST_TEXT];

    (void)snprintf(text, sizeof(text), "%s: %s", what, fat_err_text(err));
    fat_log_say(log, true, text);
}

/* A report may quote names from the medium, and these drive terminals if they can. */
static void tame(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            *text = '?';
        }
    }
}

void fat_log_report(void *context, const struct fat_report *report)
{
    struct fat_log *log = context;
    char text[LONGEST_TEXT];
    char place[64] = "";

    if (report->cluster) {
        (void)snprintf(place, sizeof(place), " (cluster %" PRIu32 ")", report->cluster);
    } else if (report->sector) {
        (void)snprintf(place, sizeof(place), " (sector %" PRIu64 ")", report->sector);
    }
    (void)snprintf(text, sizeof(text), "%s%s", report->text, place);
    tame(text);
    fat_log_say(log, report->severity == FAT_SEVERITY_DAMAGE, text);
}
