/* SPDX-License-Identifier: MIT */
/*
 * Chains: each cluster is taken once, by the first chain that comes to it, so that
 * all chains together cost one pass over the FAT however they are tangled.
 */
#include "volume/check_state.h"

enum stop {
    STOP_END,
    STOP_UNREAD,   /* the FAT could not be read here, which was said, or the
                      check is to end                                          */
    STOP_RANGE,    /* the next cluster is not on the volume                    */
    STOP_FREE,     /* the next cluster is marked free                          */
    STOP_BAD,      /* the next cluster is marked bad                           */
    STOP_RESERVED, /* the last cluster leads to 1                              */
    STOP_LOOP,     /* the next cluster is in this chain already                */
    STOP_SHARED,   /* the next cluster is in another chain                     */
};

struct walk {
    enum stop stop;
    uint32_t length; /* clusters taken                                        */
    uint32_t at;     /* the cluster that stopped it                           */
};

static enum stop look_at(const struct fat_check *c, uint32_t cluster, uint32_t link)
{
    if (!fat_geometry_holds(&c->g, cluster)) {
        return STOP_RANGE;
    }
    switch (link) {
    case FAT_CHECK_FREE:
        return STOP_FREE;
    case FAT_CHECK_BAD:
        return STOP_BAD;
    default:
        return fat_check_has(c, cluster, FAT_MARK_TAKEN) ? STOP_SHARED : STOP_END;
    }
}

/* Whether a cluster that is taken was taken by this very chain. */
static bool is_own(
        struct fat_check *c, uint32_t first, uint32_t length, uint32_t cluster)
{
    for (uint32_t at = first; length > 0; length--) {
        if (at == cluster) {
            return true;
        }
        at = fat_check_link(c, at);
    }
    return false;
}

static void take(struct fat_check *c, uint32_t cluster, bool is_head, bool is_directory)
{
    fat_check_mark(c, cluster, FAT_MARK_TAKEN);
    if (is_head) {
        fat_check_mark(c, cluster, FAT_MARK_HEAD);
    }
    if (is_directory) {
        fat_check_mark(c, cluster, FAT_MARK_DIR);
    }
}

static struct walk take_chain(struct fat_check *c, uint32_t first, bool is_directory)
{
    struct walk walk = {.at = first};

    for (;;) {
        const uint32_t link = fat_check_link(c, walk.at);

        walk.stop = fat_check_is_stopped(c) ? STOP_UNREAD : look_at(c, walk.at, link);
        if (walk.stop != STOP_END) {
            break;
        }
        take(c, walk.at, walk.length == 0, is_directory);
        walk.length++;
        c->taken_count += link != FAT_CHECK_UNREAD;
        if (link == FAT_CHECK_END) {
            break;
        }
        if (link == FAT_CHECK_UNREAD || link == FAT_CHECK_RESERVED) {
            walk.stop = link == FAT_CHECK_UNREAD ? STOP_UNREAD : STOP_RESERVED;
            break;
        }
        walk.at = link;
    }
    if (walk.stop == STOP_SHARED && is_own(c, first, walk.length, walk.at)) {
        walk.stop = STOP_LOOP;
    }
    return walk;
}

static void say_start(struct fat_check *c, uint32_t first)
{
    fat_check_say(c,
            &(struct fat_finding){
                    .kind = FAT_FINDING_START, .cluster = first, .first = first},
            "first cluster %u is no cluster of this volume%s", (unsigned)first,
            first >= FAT_CLUSTER_FIRST && first - FAT_CLUSTER_FIRST < c->claimed_count
                    ? " as the device has it"
                    : "");
}

static void say_broken(struct fat_check *c, const struct walk *walk)
{
    static const struct {
        enum fat_finding_kind kind;
        const char *text;
    } rows[] = {
            [STOP_RANGE] = {FAT_FINDING_CHAIN_RANGE, "which is not on the volume"},
            [STOP_FREE] = {FAT_FINDING_CHAIN_FREE, "which is marked free"},
            [STOP_BAD] = {FAT_FINDING_CHAIN_BAD, "which is marked bad"},
            [STOP_RESERVED] = {FAT_FINDING_CHAIN_BAD,
                    "whose entry is 1, a reserved value"},
            [STOP_LOOP] = {FAT_FINDING_CHAIN_LOOP, "which is in it already"},
            [STOP_SHARED] = {FAT_FINDING_CROSS_LINK, "which is in another chain"},
    };

    fat_check_say(c,
            &(struct fat_finding){.kind = rows[walk->stop].kind,
                    .cluster = walk->at,
                    .first = walk->length,
                    .second = walk->at},
            "after %u clusters the chain comes to cluster %u, %s",
            (unsigned)walk->length, (unsigned)walk->at, rows[walk->stop].text);
}

static uint64_t clusters_for(const struct fat_check *c, uint32_t size_bytes)
{
    return ((uint64_t)size_bytes + c->g.cluster_bytes - 1) / c->g.cluster_bytes;
}

static void say_size(struct fat_check *c, enum fat_finding_kind kind, uint32_t first,
        uint32_t size_bytes, uint32_t length)
{
    const uint32_t needed = (uint32_t)clusters_for(c, size_bytes);

    fat_check_say(c,
            &(struct fat_finding){
                    .kind = kind, .cluster = first, .first = needed, .second = length},
            "size %u needs %u clusters of %u bytes, the chain has %u",
            (unsigned)size_bytes, (unsigned)needed, (unsigned)c->g.cluster_bytes,
            (unsigned)length);
}

static void check_size(
        struct fat_check *c, uint32_t first, uint32_t size_bytes, uint32_t length)
{
    const uint64_t needed = clusters_for(c, size_bytes);

    if (length < needed) {
        say_size(c, FAT_FINDING_CHAIN_SHORT, first, size_bytes, length);
    } else if (needed == 0 && length != 0) {
        fat_check_say(c,
                &(struct fat_finding){.kind = FAT_FINDING_EMPTY_WITH_CHAIN,
                        .cluster = first,
                        .second = length},
                "size 0, but a chain of %u clusters from %u on", (unsigned)length,
                (unsigned)first);
    } else if (length > needed) {
        say_size(c, FAT_FINDING_CHAIN_LONG, first, size_bytes, length);
    }
}

/*
 * The second name of a file may have another size, but no larger one than the
 * chain holds. The chain is followed again for that, within bounds.
 */
static void check_alias_size(struct fat_check *c, uint32_t first, uint32_t size_bytes)
{
    const uint64_t needed = clusters_for(c, size_bytes);
    uint32_t length = 0;
    uint32_t at = first;

    while (length < needed && fat_geometry_holds(&c->g, at) && c->alias_steps > 0) {
        c->alias_steps--;
        length++;
        at = fat_check_link(c, at);
    }
    if (length < needed && at == FAT_CHECK_END) {
        say_size(c, FAT_FINDING_CHAIN_SHORT, first, size_bytes, length);
    }
}

/* The first cluster is taken: two names of one thing, or something worse. */
static void say_shared_start(
        struct fat_check *c, uint32_t first, bool is_directory, uint32_t size_bytes)
{
    struct fat_finding seed = {.kind = FAT_FINDING_ALIAS, .cluster = first};

    if (!fat_check_has(c, first, FAT_MARK_HEAD) ||
            fat_check_has(c, first, FAT_MARK_DIR) != is_directory) {
        seed.kind = FAT_FINDING_CROSS_LINK;
        fat_check_say(
                c, &seed, "first cluster %u is in another chain", (unsigned)first);
    } else if (fat_check_has(c, first, FAT_MARK_ON_PATH)) {
        seed.kind = FAT_FINDING_DIR_LOOP;
        fat_check_say(c, &seed,
                "first cluster %u is that of a directory this one is in",
                (unsigned)first);
    } else {
        fat_check_say(
                c, &seed, "first cluster %u has another name already", (unsigned)first);
        if (!is_directory) {
            check_alias_size(c, first, size_bytes);
        }
    }
}

static void say_walk(struct fat_check *c, const struct walk *walk, uint32_t first,
        bool is_directory, uint32_t size_bytes)
{
    switch (walk->stop) {
    case STOP_UNREAD:
        return;
    case STOP_END:
        if (!is_directory) {
            check_size(c, first, size_bytes, walk->length);
        }
        return;
    case STOP_RANGE:
        if (walk->length == 0) {
            say_start(c, first);
            return;
        }
        break;
    case STOP_SHARED:
        if (walk->length == 0) {
            say_shared_start(c, first, is_directory, size_bytes);
            return;
        }
        break;
    case STOP_FREE:
    case STOP_BAD:
    case STOP_RESERVED:
    case STOP_LOOP:
        break;
    }
    say_broken(c, walk);
}

uint32_t fat_check_claim(
        struct fat_check *c, uint32_t first, bool is_directory, uint32_t size_bytes)
{
    struct walk walk;

    if (first == 0 && !is_directory) {
        check_size(c, first, size_bytes, 0);
        return 0;
    }
    walk = take_chain(c, first, is_directory);
    say_walk(c, &walk, first, is_directory, size_bytes);
    return walk.length;
}

/* In use as the FAT has it, with no chain of an entry through it. */
static bool is_lost(struct fat_check *c, uint32_t cluster)
{
    uint32_t link;

    if (fat_check_has(c, cluster, FAT_MARK_TAKEN)) {
        return false;
    }
    link = fat_check_link(c, cluster);
    return link != FAT_CHECK_FREE && link != FAT_CHECK_BAD && link != FAT_CHECK_UNREAD;
}

/*
 * Clusters in use that no chain has taken by now. Where the device gives other bytes
 * each time it is read, it may be any number.
 */
static uint32_t count_untaken(const struct fat_check *c)
{
    return c->sum.clusters_used - c->unread_count - c->taken_count;
}

/* As far as there are any: they mostly lie together, and low. */
static void find_lost(struct fat_check *c)
{
    const uint32_t untaken = count_untaken(c);

    for (uint32_t i = 0; i < c->g.cluster_count && c->sum.clusters_lost != untaken;
            i++) {
        const uint32_t cluster = i + FAT_CLUSTER_FIRST;
        uint32_t link;

        if (!is_lost(c, cluster)) {
            continue;
        }
        c->sum.clusters_lost++;
        link = fat_check_link(c, cluster);
        if (fat_geometry_holds(&c->g, link) && is_lost(c, link)) {
            fat_check_mark(c, link, FAT_MARK_FOLLOWS);
        }
    }
}

static void say_lost(struct fat_check *c, uint32_t first)
{
    const uint32_t length = take_chain(c, first, false).length;

    fat_check_say(c,
            &(struct fat_finding){.kind = FAT_FINDING_LOST_CHAIN,
                    .offset = fat_geometry_sector(&c->g, first) * c->g.sector_bytes,
                    .cluster = first,
                    .first = length},
            "%u clusters from %u on are in use but no entry leads to them",
            (unsigned)length, (unsigned)first);
}

/* Is there a lost one that has not been said? */
static bool has_more_lost(const struct fat_check *c)
{
    return c->sum.clusters_lost != 0 && count_untaken(c) != 0;
}

void fat_check_lost(struct fat_check *c)
{
    find_lost(c);
    for (uint32_t i = 0; i < c->g.cluster_count && has_more_lost(c); i++) {
        const uint32_t cluster = i + FAT_CLUSTER_FIRST;

        if (is_lost(c, cluster) && !fat_check_has(c, cluster, FAT_MARK_FOLLOWS)) {
            say_lost(c, cluster);
        }
    }
    /* What is left has a predecessor everywhere: rings, each said once. */
    for (uint32_t i = 0; i < c->g.cluster_count && has_more_lost(c); i++) {
        if (is_lost(c, i + FAT_CLUSTER_FIRST)) {
            say_lost(c, i + FAT_CLUSTER_FIRST);
        }
    }
}
