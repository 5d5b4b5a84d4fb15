/* SPDX-License-Identifier: MIT */
/*
 * Any volume can be repaired: it ends, what is refused or clean is not written to, the
 * outcome is what the checker says, damage never grows, a second repair finds nothing
 * more to do, and every file that could be read has its bytes. So it is where the
 * device fails on the way, and the next repair goes on.
 *
 * The program is three bytes: see struct order.
 */
#include <fatward/repair.h>

#include "fuzz.h"
#include "image.h"
#include "witness.h"

struct order {
    uint32_t flags; /* byte 0, bits 0 and 1: FAT_REPAIR_...                    */
    struct fuzz_fault
            fault; /* bits 2 and 3: the call, bit 4: always; bytes 1, 2: nth */
};

struct patient {
    struct fuzz_image image;
    struct order order;
    struct fat_check_summary before;
    fat_err checked; /* what fat_check() said: then all of it is zero */
    uint64_t wild;   /* "..": names what is no directory, which is mended */
    struct witness *witness;
};

/* What was told, by kind. */
struct told {
    uint64_t found[FAT_FINDING_KIND_COUNT], left[FAT_FINDING_KIND_COUNT];
};

static struct order take_order(const struct fuzz_image *image)
{
    const uint8_t *p = image->program;
    const uint8_t how = image->program_length > 0 ? p[0] : 0;
    struct order order = {.flags = how & (FAT_REPAIR_SAVE_LOST | FAT_REPAIR_CUT_SIZES)};

    if (image->program_length > 2) {
        order.fault.call = how >> 2 & 3;
        order.fault.always = (how >> 4 & 1) != 0;
        order.fault.nth = 1 + (p[1] | (uint64_t)p[2] << 8) % 512;
    }
    return order;
}

static void note(void *context, const struct fat_finding *finding)
{
    struct patient *p = context;

    if (finding->kind == FAT_FINDING_ALIAS) {
        witness_share(p->witness, finding->cluster);
    }
    p->wild += finding->kind == FAT_FINDING_DIR_DOT && finding->cluster != 0 &&
               finding->first != finding->second;
}

static void look(struct patient *p)
{
    const uint64_t writes = p->image.writes;

    p->before = (struct fat_check_summary){0};
    p->wild = 0;
    witness_look_at_all(p->witness, &p->image);
    p->checked = fat_check(&p->image.dev, note, p, &p->before);
    if (p->before.findings[FAT_FINDING_CHAIN_SHORT] > 0 &&
            p->witness->shared_count > 0) {
        p->witness->count = 0; /* the name that stays may be the one that is cut */
    }
    PROMISE(p->image.writes == writes);
}

static void count_found(void *context, const struct fat_finding *finding)
{
    ((struct told *)context)->found[finding->kind]++;
}

static void count_left(void *context, const struct fat_finding *finding)
{
    ((struct told *)context)->left[finding->kind]++;
}

static bool is_same(
        const struct fat_check_summary *a, const struct fat_check_summary *b)
{
    bool same = a->leftovers == b->leftovers && a->damages == b->damages &&
                a->clusters_free == b->clusters_free &&
                a->clusters_lost == b->clusters_lost && a->files == b->files;

    for (int kind = 0; kind < FAT_FINDING_KIND_COUNT; kind++) {
        same &= a->findings[kind] == b->findings[kind];
    }
    return same;
}

static bool is_told(const uint64_t *told, const struct fat_check_summary *sum)
{
    bool same = true;

    for (int kind = 0; kind < FAT_FINDING_KIND_COUNT; kind++) {
        same &= told[kind] == sum->findings[kind];
    }
    return same;
}

static bool is_clean(const struct fat_check_summary *sum)
{
    return sum->leftovers == 0 && sum->damages == 0;
}

/* What repair.h says beside which nothing is written. */
static bool must_refuse(const struct patient *p)
{
    const uint64_t *n = p->before.findings;
    uint64_t harmless = n[FAT_FINDING_FSINFO_COUNT] + n[FAT_FINDING_SHORT_NAME] +
                        n[FAT_FINDING_LFN_BROKEN] + n[FAT_FINDING_DUPLICATE_NAME] +
                        p->wild;

    if (p->order.flags & FAT_REPAIR_CUT_SIZES) {
        harmless += n[FAT_FINDING_CHAIN_SHORT];
    }
    return p->before.damages > harmless ||
           (n[FAT_FINDING_ALIAS] > 0 && n[FAT_FINDING_DIRTY] == 0 &&
                   n[FAT_FINDING_DIRTY_FAT] == 0);
}

/* Whatever was mended or not: nothing is worse. */
static void compare(struct patient *p, const struct fat_check_summary *after)
{
    const uint64_t *before = p->before.findings;
    const bool gives_back = before[FAT_FINDING_CHAIN_LONG] > 0 ||
                            before[FAT_FINDING_EMPTY_WITH_CHAIN] > 0 ||
                            before[FAT_FINDING_ALIAS] > 0;

    for (int kind = 0; kind < FAT_FINDING_KIND_COUNT; kind++) {
        PROMISE(after->findings[kind] <= before[kind] ||
                fat_finding_weigh((enum fat_finding_kind)kind) != FAT_WEIGHT_DAMAGE);
    }
    if (after->findings[FAT_FINDING_SHORT_NAME] > 0 ||
            after->findings[FAT_FINDING_LFN_BROKEN] > 0) {
        PROMISE(after->clusters_lost >= p->before.clusters_lost);
    }
    if ((p->order.flags & FAT_REPAIR_SAVE_LOST) && !gives_back) {
        PROMISE(after->clusters_free <= p->before.clusters_free);
    }
    witness_compare(p->witness, &p->image);
}

static fat_err repair(
        struct patient *p, struct told *told, struct fat_repair_summary *ret)
{
    const struct fat_volume_options open = fuzz_image_options(&p->image);
    const struct fat_repair_options options = {.flags = p->order.flags,
            .cache_bytes = open.cache_bytes,
            .clock = open.clock,
            .found = count_found,
            .left = count_left,
            .finding_context = told};

    *told = (struct told){{0}, {0}};
    *ret = (struct fat_repair_summary){.outcome = FAT_REPAIR_CLEAN};
    return fat_repair(&p->image.dev, &options, ret);
}

/* Beside damage that stays, marks are set and left. */
static uint64_t count_without_marks(const struct fat_check_summary *sum)
{
    return sum->leftovers + sum->damages - sum->findings[FAT_FINDING_DIRTY] -
           sum->findings[FAT_FINDING_DIRTY_FAT] -
           sum->findings[FAT_FINDING_FSINFO_UNKNOWN];
}

/* For files of lost clusters, which the root directory may not have. */
static bool wants_room(const struct patient *p, const struct fat_check_summary *sum)
{
    return (p->order.flags & FAT_REPAIR_SAVE_LOST) && sum->clusters_lost > 0;
}

static void judge_outcome(const struct patient *p, const struct fat_repair_summary *s)
{
    PROMISE(is_clean(&s->before) == (s->outcome == FAT_REPAIR_CLEAN));
    PROMISE(!must_refuse(p) || s->outcome == FAT_REPAIR_REFUSED);
    if (s->outcome == FAT_REPAIR_MENDED) {
        PROMISE(is_clean(&s->after));
    } else if (s->outcome == FAT_REPAIR_PARTLY) {
        PROMISE(!is_clean(&s->after));
        PROMISE(count_without_marks(&s->after) < count_without_marks(&s->before) ||
                wants_room(p, &s->after));
    } else {
        PROMISE(is_same(&s->before, &s->after));
    }
    PROMISE((s->files_saved > 0) == (s->clusters_saved > 0));
    if (p->order.flags & FAT_REPAIR_SAVE_LOST) {
        PROMISE(s->clusters_saved + s->after.clusters_lost >= s->before.clusters_lost);
    } else {
        PROMISE(s->files_saved == 0);
    }
}

/* Nobody fails: every promise of repair.h. */
static enum fat_repair_outcome repair_well(struct patient *p)
{
    const uint64_t writes = p->image.writes;
    struct fat_repair_summary s;
    struct fat_check_summary now;
    struct told told;
    const fat_err err = repair(p, &told, &s);

    if (err != FAT_OK) {
        PROMISE(err == (p->image.dev.read_only ? FAT_E_READONLY : p->checked));
        PROMISE(p->image.writes == writes);
        return FAT_REPAIR_REFUSED;
    }
    PROMISE(is_same(&s.before, &p->before) && is_told(told.found, &s.before));
    judge_outcome(p, &s);
    if (s.outcome == FAT_REPAIR_CLEAN || s.outcome == FAT_REPAIR_REFUSED) {
        PROMISE(p->image.writes == writes);
    }
    if (s.outcome == FAT_REPAIR_PARTLY) {
        PROMISE(is_told(told.left, &s.after));
    }
    PROMISE(fat_check(&p->image.dev, NULL, NULL, &now) == FAT_OK);
    PROMISE(is_same(&now, &s.after));
    compare(p, &now);
    return s.outcome;
}

static void repair_again(struct patient *p, enum fat_repair_outcome first)
{
    const bool was_clean = first == FAT_REPAIR_CLEAN || first == FAT_REPAIR_MENDED;
    const uint64_t writes = p->image.writes;
    struct fat_repair_summary s;
    struct told told;
    const fat_err err = repair(p, &told, &s);

    if (first == FAT_REPAIR_PARTLY && wants_room(p, &s.before)) {
        PROMISE(err == FAT_OK && is_same(&s.before, &s.after)); /* it tried again */
        return;
    }
    if (err == FAT_OK) {
        PROMISE(s.outcome == (was_clean ? FAT_REPAIR_CLEAN : FAT_REPAIR_REFUSED));
    }
    PROMISE(p->image.writes == writes);
}

static enum fat_repair_outcome repair_twice(struct patient *p)
{
    const enum fat_repair_outcome outcome = repair_well(p);

    repair_again(p, outcome);
    return outcome;
}

/* @wanted   what comes of it where nothing fails */
static void repair_badly(struct patient *p, enum fat_repair_outcome wanted)
{
    const uint64_t writes = p->image.writes;
    const bool mends = wanted == FAT_REPAIR_MENDED || wanted == FAT_REPAIR_PARTLY;
    struct fat_repair_summary s;
    struct fat_check_summary now;
    enum fat_repair_outcome outcome;
    struct told told;

    p->image.fault = p->order.fault;
    (void)repair(p, &told, &s); /* whatever it says, look at what is there */
    p->image.fault.call = FUZZ_NO_FAULT;
    PROMISE(mends || p->image.writes == writes);
    if (p->checked != FAT_OK) {
        return;
    }
    PROMISE(fat_check(&p->image.dev, NULL, NULL, &now) == FAT_OK);
    compare(p, &now);
    look(p);
    outcome = repair_twice(p);
    if (wanted == FAT_REPAIR_MENDED) {
        PROMISE(outcome == FAT_REPAIR_MENDED || outcome == FAT_REPAIR_CLEAN);
    }
}

static void open_patient(struct patient *p, const uint8_t *bytes, size_t length)
{
    fuzz_image_open(&p->image, bytes, length);
    p->image.how &= (uint8_t)~FUZZ_READ_ONLY; /* it is no option of a repair */
    p->order = take_order(&p->image);
    look(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct witness witness;
    struct patient p = {.witness = &witness};
    enum fat_repair_outcome outcome;

    open_patient(&p, bytes, length);
    outcome = repair_twice(&p);
    fuzz_image_close(&p.image);
    if (p.order.fault.call != FUZZ_NO_FAULT) {
        open_patient(&p, bytes, length);
        repair_badly(&p, outcome);
        fuzz_image_close(&p.image);
    }
    return 0;
}
