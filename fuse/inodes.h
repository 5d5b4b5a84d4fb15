/* SPDX-License-Identifier: MIT */
/*
 * Which node a kernel inode number stands for.
 *
 * Most nodes have one number, their *main* one. A name asked for in another spelling
 * than the stored one is answered with an *alias* number of its own: only then does
 * the kernel, whose name cache tells cases apart, pass on a rename that changes
 * nothing but the case. A directory reached through an alias directory is an alias
 * too, since the kernel allows a directory one place in its tree. Files reached
 * that way keep their main number, and with it one page cache.
 *
 * Numbers count up and are never used twice. Every entry holds a reference on its
 * node, and lives until the kernel has forgotten every time it was named and no request
 * uses it: a kernel that forgets what it is just asking about harms itself only.
 */
#ifndef FAT_FUSE_INODES_H
#define FAT_FUSE_INODES_H

#include <stdbool.h>
#include <stdint.h>

#include <fatward/node.h>

#include "fuse_api.h"

struct fat_inodes;
struct fat_numbered;

/* One number as a request sees it; release with fat_inodes_done(). */
struct fat_inode {
    fuse_ino_t id;
    struct fat_node *node; /* good as long as this is held */
    bool alias;
    bool shared; /* the node has an alias now: the kernel may keep nothing of it */
    struct fat_numbered *held;
};

/* An answer to a name. */
struct fat_named {
    struct fat_inode inode;
    bool cacheable; /* the kernel may remember the name: it is the stored spelling,
                       and neither node nor directory have another one about    */
};

/* Memory for one number, set aside. */
struct fat_inode_room;

/* A name to be given a number. */
struct fat_naming {
    fuse_ino_t parent;
    const char *name;
    struct fat_node *node;
    bool exact; /* the spelling that is stored */
    bool force_main;
    struct fat_inode_room *room; /* NULL: none; else it is taken over, needed or not */
};

/*
 * What the kernel may have cached of a node, and must not believe any longer; release
 * with _done().
 */
struct fat_stale_name {
    fuse_ino_t id; /* the main number, whose attributes are old; 0: they are not */
    fuse_ino_t parent;
    char *name;    /* NULL: there is none */
    bool believed; /* the kernel would not ask before it uses that name */
};

void fat_stale_name_done(struct fat_stale_name *stale);

/*
 * NULL without memory. @root is taken over with its reference.
 *
 * @most   numbers that are in use before fat_inodes_oldest() names any
 */
struct fat_inodes *fat_inodes_new(struct fat_node *root, size_t most);

/* Drops every reference left. */
void fat_inodes_free(struct fat_inodes *inodes);

/* False: no such number, which an honest kernel never asks for. */
bool fat_inodes_find(struct fat_inodes *inodes, fuse_ino_t id, struct fat_inode *ret);

/* True: its number had been forgotten, and now its node was given up. Hold no lock. */
bool fat_inodes_done(struct fat_inodes *inodes, struct fat_inode *inode);

/*
 * Whoever is about to make the node asks for room first: what was made has to be
 * answered with its number, and can't be unmade for want of memory. NULL without memory.
 */
struct fat_inode_room *fat_inodes_room(const char *name);
void fat_inode_room_free(struct fat_inode_room *room); /* NULL is a no-op */

/*
 * Number @naming's node and count that the kernel knows it once more.
 *
 * Takes over the reference on the node, on failure too.
 *
 * @ret        the number; release its inode with fat_inodes_done()
 * @ret_stale  what to announce before the answer; release it in any case
 */
bool fat_inodes_name(struct fat_inodes *inodes, const struct fat_naming *naming,
        struct fat_named *ret, struct fat_stale_name *ret_stale);

/* In one message to the kernel, which is a page at most. */
enum { FAT_PRUNE_MOST = 256 };

/* A name as the kernel has it. */
struct fat_called {
    fuse_ino_t parent;
    const char *name;
};

/*
 * @node was renamed. The kernel has changed what it has cached where that was done by the
 * very name that it had been told; by any other spelling, the directory's included, it
 * has not.
 *
 * @was        what the request called it
 * @parent     where it is now
 * @name       what it is called there; taken over
 * @ret_stale  what to announce; release it
 */
void fat_inodes_renamed(struct fat_inodes *inodes, const struct fat_node *node,
        const struct fat_called *was, fuse_ino_t parent, char *name,
        struct fat_stale_name *ret_stale);

/*
 * @node was removed as @was, and the kernel may have other names for it.
 *
 * @ret_stale  one of them; release it, and ask for the next
 * False: that were all.
 */
bool fat_inodes_removed(struct fat_inodes *inodes, const struct fat_node *node,
        const struct fat_called *was, struct fat_stale_name *ret_stale);

/*
 * The directory @node was renamed over itself, to @to: what the kernel knew by that name
 * counts as removed there, and nothing can be reached through it any more. So the number
 * that it had is not handed out again.
 */
void fat_inodes_retire(struct fat_inodes *inodes, const struct fat_node *node,
        const struct fat_called *to);

/* The next number of @node, in rising order, beginning with @after 0; 0: no more. */
fuse_ino_t fat_inodes_next(
        struct fat_inodes *inodes, const struct fat_node *node, fuse_ino_t after);

/* Whether there is any alias: while there is none, names are changed by their own only. */
bool fat_inodes_has_aliases(struct fat_inodes *inodes);

/*
 * When there are too many numbers, those that were named longest ago, for the kernel to
 * forget where it doesn't use them; now and then only, so it may be called often.
 * Returns how many, mostly 0.
 */
size_t fat_inodes_oldest(struct fat_inodes *inodes, fuse_ino_t ids[FAT_PRUNE_MOST]);

/* The main number of @node, 0 if it has none. */
fuse_ino_t fat_inodes_main(struct fat_inodes *inodes, const struct fat_node *node);

/*
 * The kernel forgot @id @times times. The node may be given up here, or when the last
 * request that uses it is done: hold no lock.
 */
void fat_inodes_forget(struct fat_inodes *inodes, fuse_ino_t id, uint64_t times);

#endif
