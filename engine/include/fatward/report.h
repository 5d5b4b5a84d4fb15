/* SPDX-License-Identifier: MIT */
#ifndef FAT_REPORT_H
#define FAT_REPORT_H

#include <stdint.h>

#include <fatward/error.h>

/* How much a report matters to the person who mounted the volume. */
enum fat_severity {
    FAT_SEVERITY_NOTE,    /* odd but harmless                                  */
    FAT_SEVERITY_WARNING, /* worked around; data is intact                     */
    FAT_SEVERITY_DAMAGE,  /* proof of damage: the volume turns read-only, if it
                             was not opened with FAT_VOLUME_CONTINUE           */
};

/*
 * What the engine found on the volume, for a log or a person. The engine never
 * prints: it calls the function it was given. @text is English, without a
 * newline, may quote names from the medium raw, and lives until the call returns.
 */
struct fat_report {
    enum fat_severity severity;
    fat_err err;
    uint64_t sector;  /* logical sector it is about, 0 if none                 */
    uint32_t cluster; /* cluster it is about, 0 if none                        */
    const char *text;
};

/* Called from any thread, with no engine lock that the callee could need. */
typedef void fat_report_fn(void *context, const struct fat_report *report);

#endif
