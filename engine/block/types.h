/* SPDX-License-Identifier: MIT */
/* Words that all of block/ shares: the stages of a commit, the copies of the FAT. */
#ifndef FAT_BLOCK_TYPES_H
#define FAT_BLOCK_TYPES_H

#include <stdint.h>

enum fat_stage {
    FAT_STAGE_FILL,    /* claimed FAT entries, contents of new directory clusters,
                          long-name slots apart from their entry, the end mark      */
    FAT_STAGE_LINK,    /* a file's old tail pointing at its new clusters            */
    FAT_STAGE_PUBLISH, /* short entries added or changed; a directory's old tail;
                          ".." of a moved directory                                 */
    FAT_STAGE_RETIRE,  /* short entries removed                                     */
    FAT_STAGE_CUT,     /* the end mark of a shortened chain                         */
    FAT_STAGE_RECLAIM, /* FAT entries freed, long-name slots of removed entries     */
    FAT_STAGE_COUNT
};

/* The copies of the FAT: the cache writes them one epoch after their original. */
struct fat_cache_copies {
    uint64_t start;    /* first sector of the original                              */
    uint64_t sectors;  /* of one copy                                               */
    uint32_t count;    /* all copies together, the original included; 1: no copies  */
    uint32_t original; /* which of them the original is, 0 .. count - 1            */
};

#endif
