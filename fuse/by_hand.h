/* SPDX-License-Identifier: MIT */
/* The way in from a command line, mount(8)'s included: fatward IMAGE DIRECTORY. */
#ifndef FAT_FUSE_BY_HAND_H
#define FAT_FUSE_BY_HAND_H

/* The exit status. */
int fat_by_hand(int argc, char **argv);

#endif
