/* SPDX-License-Identifier: MIT */
/*
 * "." and "..": the first two slots of every directory but the root. MSFAT 6.5.
 */
#include "volume/check_state.h"

/* A cluster that begins as a directory does: with a "." that names the cluster. */
static bool begins_a_directory(struct fat_check *c, uint32_t cluster)
{
    uint8_t raw[FAT_SLOT_BYTES];
    struct fat_dirent dot;

    if (cluster == 0 || cluster == c->g.root_cluster) {
        return true;
    }
    if (!fat_geometry_holds(&c->g, cluster) ||
            fat_check_link(c, cluster) == FAT_CHECK_FREE ||
            fat_check_read(c, fat_geometry_sector(&c->g, cluster) * c->g.sector_bytes,
                    raw, sizeof(raw)) != FAT_OK) {
        return false;
    }
    fat_dirent_decode(c->g.type, raw, &dot);
    return fat_short_is_dot(dot.name) && dot.attributes & FAT_ATTR_DIRECTORY &&
           dot.first_cluster == cluster;
}

static bool is_directory_slot(
        const struct fat_check *c, uint32_t slot, bool dotdot, struct fat_dirent *ret)
{
    const uint8_t *raw = fat_check_slot(c, slot);

    if (slot >= c->slot_count || fat_slot_classify(raw) != FAT_SLOT_SHORT) {
        return false;
    }
    fat_dirent_decode(c->g.type, raw, ret);
    return (dotdot ? fat_short_is_dotdot(ret->name) : fat_short_is_dot(ret->name)) &&
           ret->attributes & FAT_ATTR_DIRECTORY;
}

static void check_dot(struct fat_check *c, uint32_t own, uint32_t found)
{
    if (found != own) {
        fat_check_say(c,
                &(struct fat_finding){.kind = FAT_FINDING_DIR_DOT_CLUSTER,
                        .offset = fat_check_slot_offset(c, 0),
                        .cluster = own,
                        .first = found,
                        .second = own},
                "\".\" names cluster %u, the directory begins at %u", (unsigned)found,
                (unsigned)own);
    }
}

/* A move that was cut short leaves the old parent here, which is a directory. */
static void check_dotdot(
        struct fat_check *c, uint32_t own, uint32_t parent, uint32_t found)
{
    struct fat_finding seed = {.kind = FAT_FINDING_DIR_DOTDOT_CLUSTER,
            .offset = fat_check_slot_offset(c, 1),
            .cluster = own,
            .first = found,
            .second = parent};

    if (found == parent) {
        return;
    }
    if (begins_a_directory(c, found)) {
        fat_check_say(c, &seed, "\"..\" names cluster %u, the parent is at %u",
                (unsigned)found, (unsigned)parent);
    } else {
        seed.kind = FAT_FINDING_DIR_DOT;
        fat_check_say(c, &seed,
                "\"..\" names cluster %u, which is no directory; the parent is at %u",
                (unsigned)found, (unsigned)parent);
    }
}

void fat_check_dots(struct fat_check *c, uint32_t index)
{
    const struct fat_check_dir *dir = &c->dirs[index];
    const uint32_t own = dir->first_cluster;
    /* The root is 0 in "..", on FAT32 too. */
    const uint32_t parent = dir->parent == 0 ? 0 : c->dirs[dir->parent].first_cluster;
    struct fat_dirent dot, dotdot;
    const bool has_dot = is_directory_slot(c, 0, false, &dot);
    const bool has_dotdot = is_directory_slot(c, 1, true, &dotdot);

    if (!has_dot || !has_dotdot) {
        fat_check_say(c,
                &(struct fat_finding){.kind = FAT_FINDING_DIR_DOT,
                        .offset = fat_check_slot_offset(c, has_dot ? 1 : 0),
                        .cluster = own},
                "%s",
                has_dot      ? "the second slot is not \"..\""
                : has_dotdot ? "the first slot is not \".\""
                             : "the first two slots are not \".\" and \"..\"");
    }
    if (has_dot) {
        check_dot(c, own, dot.first_cluster);
    }
    if (has_dotdot) {
        check_dotdot(c, own, parent, dotdot.first_cluster);
    }
}
