/* SPDX-License-Identifier: MIT */
#ifndef FAT_ERROR_H
#define FAT_ERROR_H

#include <fatward/attrs.h>

/*
 * Result of every engine call that can fail.
 *
 *   FAT_OK      done, every output parameter is set
 *   FAT_END     only from functions named ..._next: nothing more
 *   negative    failed, no output parameter was touched; forward it unchanged
 *
 * A code names what is wrong with the volume or with the request, never which
 * function noticed. Adapters translate once, with fat_err_errno().
 */
typedef enum fat_err {
    FAT_OK = 0,
    FAT_END = 1,
    FAT_E_IO = -1,           /* the block device failed                       */
    FAT_E_NOMEM = -2,        /* host memory exhausted                         */
    FAT_E_CORRUPT = -3,      /* the image contradicts the specification       */
    FAT_E_NOTFAT = -4,       /* no FAT volume here                            */
    FAT_E_NOSPC = -5,        /* no free cluster, or the directory is full     */
    FAT_E_RANGE = -6,        /* offset, cluster or sector outside the volume  */
    FAT_E_READONLY = -7,     /* the volume or the device can't be written     */
    FAT_E_NOENT = -8,        /* no such name                                  */
    FAT_E_EXIST = -9,        /* the name is taken                             */
    FAT_E_NOTDIR = -10,      /* a file where a directory is needed            */
    FAT_E_ISDIR = -11,       /* a directory where a file is needed            */
    FAT_E_NOTEMPTY = -12,    /* the directory has entries                     */
    FAT_E_NAMETOOLONG = -13, /* more than 255 UTF-16 units                    */
    FAT_E_NAME = -14,        /* not a legal FAT name, or not UTF-8            */
    FAT_E_INVAL = -15,       /* the request makes no sense                    */
    FAT_E_FBIG = -16,        /* beyond 2^32 - 1 bytes                         */
    FAT_E_BUSY = -17,        /* locked by another program, or the root        */
    FAT_E_STALE = -18,       /* the file has been removed                     */
    FAT_E_UNSUPPORTED = -19, /* FAT, or this engine, can't do that            */
    FAT_E_PERM = -20,        /* the operation is not allowed on this object   */
    FAT_E_NODEV = -21,       /* the device has vanished                       */
    FAT_E_AGAIN = -22,       /* inside the engine only: a commit comes first  */
    FAT_E_CHANGED = -23,     /* another program has written to the volume     */
    FAT_E_STOPPED = -24,     /* given up, as somebody asked for               */
} fat_err;

/* Short constant English text, never NULL, for any value of @err. */
FAT_API const char *fat_err_text(fat_err err);

/* The positive errno an adapter replies with; 0 for FAT_OK and FAT_END. */
FAT_API int fat_err_errno(fat_err err);

#endif
