/* SPDX-License-Identifier: MIT */
/*
 * The service protocol, version 1: one message as bytes and as a struct.
 *
 * A mount helper (privileged; it connects, opens files and mounts) and a file system
 * server (started by systemd, without any privilege) talk over an AF_UNIX socket of
 * type SOCK_SEQPACKET; one packet is one message. It is libfuse's protocol (libfuse
 * 3.19, fuse_service.h), so either side may be somebody else's.
 *
 * Pure: no I/O, no state, no allocation. Numbers are big-endian; a text ends with
 * exactly one NUL, the last byte of its packet.
 */
#ifndef FAT_SERVICE_WIRE_H
#define FAT_SERVICE_WIRE_H

#include <stddef.h>
#include <stdint.h>

enum {
    FAT_WIRE_VERSION = 1,
    FAT_WIRE_LARGEST = 65536, /* of a message                               [bytes] */
    FAT_WIRE_LARGEST_PATH = 4096, /* of a path with its NUL                  [bytes] */
};

/* The four letters that a message begins with say what it is. */
enum fat_wire_kind {
    FAT_WIRE_HELLO,         /* SAFT  helper: versions, what the caller may          */
    FAT_WIRE_HELLO_REPLY,   /* LAST  server: the version                            */
    FAT_WIRE_FILE,          /* FILE  helper: a descriptor with its name, or an error */
    FAT_WIRE_OPEN,          /* OPEN  server: open that file                         */
    FAT_WIRE_OPEN_DEVICE,   /* BDEV  server: open that block device                 */
    FAT_WIRE_TYPE,          /* TYPE  server: fuse or fuseblk                        */
    FAT_WIRE_SOURCE,        /* NAME  server: what mount(8) shows as the source      */
    FAT_WIRE_MOUNTPOINT,    /* MNTP  server: where                                  */
    FAT_WIRE_OPTIONS,       /* OPTS  server: for the kernel, separated by commas    */
    FAT_WIRE_TABLE_OPTIONS, /* MTAB  server: for utab                               */
    FAT_WIRE_MOUNT,         /* DOIT  server: mount it now                           */
    FAT_WIRE_GOODBYE,       /* BYEE  server: it is all done, or has failed          */
    FAT_WIRE_REPLY,         /* REPL  helper: an errno, 0 for done                   */
};
enum { FAT_WIRE_KINDS = FAT_WIRE_REPLY + 1 };

enum { FAT_WIRE_MAY_ALLOW_OTHER = 1, FAT_WIRE_MAY_FUSEBLK = 2 }; /* flags of HELLO */
enum { FAT_WIRE_QUIET = 1 };                                     /* of OPEN        */
enum { FAT_WIRE_FUSEBLK = 1 };                                   /* of TYPE        */

/* Which fields a kind has stands beside each; the others are 0 and are not sent. */
struct fat_wire_message {
    enum fat_wire_kind kind;
    uint16_t min_version; /* HELLO                                                 */
    uint16_t version;     /* HELLO: the highest; HELLO_REPLY: the one              */
    uint32_t flags;       /* HELLO, OPEN, OPEN_DEVICE, TYPE: above; MOUNT: MS_*    */
    uint32_t error;       /* FILE, REPLY: positive errno or 0; GOODBYE: exit status */
    uint32_t open_flags;  /* OPEN, OPEN_DEVICE: O_*                                */
    uint32_t create_mode; /* OPEN, OPEN_DEVICE                                     */
    uint32_t block_bytes; /* OPEN_DEVICE: 0 leaves it; OPEN: 0             [bytes] */
    uint16_t format;      /* MOUNTPOINT: S_IFDIR, S_IFREG or 0 for either          */
    const char *text;     /* FILE, OPEN, OPEN_DEVICE, SOURCE, MOUNTPOINT, OPTIONS,
                             TABLE_OPTIONS: never NULL there                       */
};

/* What can be wrong with a packet. */
enum fat_wire_fault {
    FAT_WIRE_SOUND = 0,
    FAT_WIRE_UNKNOWN,  /* shorter than an identifier, longer than any message, or of no
                          kind that there is: nothing that could be answered         */
    FAT_WIRE_LENGTH,   /* too short for its fields and a NUL, or not exactly as long  */
    FAT_WIRE_NO_TEXT,  /* an empty text where there must be one                       */
    FAT_WIRE_NO_END,   /* a text without its final NUL                                */
    FAT_WIRE_TWO_ENDS, /* a text with a NUL inside                                    */
    FAT_WIRE_PADDING,  /* bytes that are to be zero are not                           */
};

/*
 * Read a packet of @length bytes.
 *
 * @ret   filled when sound; its text points into @packet. Of a faulty packet only its
 *        kind is set, and that only if the fault is not UNKNOWN.
 */
enum fat_wire_fault fat_wire_decode(
        const void *packet, size_t length, struct fat_wire_message *ret);

/*
 * Write a message; returns its length, 0 if @size bytes or FAT_WIRE_LARGEST don't hold
 * it or its text is missing or empty where the kind wants one.            [bytes]
 */
size_t fat_wire_encode(
        const struct fat_wire_message *message, void *packet, size_t size);

/* "SAFT" and so on, and a sentence's middle: "has a text without its final NUL". */
const char *fat_wire_name(enum fat_wire_kind kind);
const char *fat_wire_fault_text(enum fat_wire_fault fault);

#endif
