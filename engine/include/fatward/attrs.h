/* SPDX-License-Identifier: MIT */
#ifndef FAT_ATTRS_H
#define FAT_ATTRS_H

/* What a declaration of the door promises to the compiler. */
#if defined(__GNUC__)
#define FAT_API        __attribute__((visibility("default")))
#define FAT_MUST_CHECK __attribute__((warn_unused_result))
#else
#define FAT_API
#define FAT_MUST_CHECK
#endif

#endif
