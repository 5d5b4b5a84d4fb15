/* SPDX-License-Identifier: MIT */
/*
 * What the shim (shim.c) and those who read what it wrote agree on.
 *
 * The log is a row of records, each a struct shim_record and then so many bytes. Many
 * processes may append to it: every record is one write(2) with O_APPEND. A driver puts
 * in its own as SHIM_NOTE.
 */
#ifndef REPLAY_SHIM_H
#define REPLAY_SHIM_H

#include <stdint.h>

enum shim_kind {
    SHIM_WRITE_BEGIN = 1, /* a: offset, b: number of the call; the bytes */
    SHIM_WRITE_END,       /* a: what it returned, b: number of the call */
    SHIM_FLUSH_BEGIN,     /* b: number of the call */
    SHIM_FLUSH_END,       /* a: what it returned, b: number of the call */
    SHIM_REQUEST,         /* a: number of the object it makes, or 0; the request */
    SHIM_REPLY,           /* a: opcode; the reply, cut short where it is data */
    SHIM_NOTE,            /* a: the driver's; text */
};

#define SHIM_MAGIC UINT32_C(0x6d696873)

struct shim_record {
    uint32_t magic;
    uint16_t kind;
    uint16_t spare;
    uint64_t length;
    uint64_t a, b;
};

enum shim_call { SHIM_READ, SHIM_WRITE, SHIM_FLUSH, SHIM_CALLS };

enum shim_fault {
    SHIM_NO_FAULT,
    SHIM_ERROR, /* the call fails with an errno and does nothing */
    SHIM_SHORT, /* half of it is done */
    SHIM_HANG,  /* it waits until somebody writes a byte into the gate */
};

/* A file that is mapped by both sides. All numbers are little: the machine's own. */
struct shim_control {
    uint32_t calls[SHIM_CALLS]; /* counted by the shim                       */
    uint32_t struck;            /* how many calls a fault has hit            */
    uint32_t waiting;           /* calls that hang                           */
    uint32_t fault;             /* enum shim_fault, set last by the driver   */
    uint32_t call;              /* enum shim_call, or SHIM_CALLS: every kind */
    uint32_t first;             /* the number of the first call that is hit  */
    uint32_t count;             /* so many in a row; 0: all from then on     */
    uint32_t error;             /* errno                                     */
    uint32_t from, until;       /* bytes: only calls that touch them; 0: all */

    /* Memory, apart from all of that. */
    uint32_t allocations; /* counted by the shim                       */
    uint32_t starve;      /* the number of the first that fails; 0: none */
    uint32_t starve_all;  /* and all later ones too                    */
};

#endif
