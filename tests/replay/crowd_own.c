/* SPDX-License-Identifier: MIT */
#include "crowd_own.h"

#include <stdio.h>

enum { TRIES = 60 };

void crowd_name_leaf(unsigned number, unsigned leaf, char name[BOOK_NAME_BYTES])
{
    static const struct {
        const char *before, *after;
    } forms[CROWD_LEAVES] = {{"own", ""}, {"OWN", "B.TXT"}, {"own file of ", ".text"},
            {"another one of ", " with a name of five slots in all.txt"}};

    (void)snprintf(name, BOOK_NAME_BYTES, "%s%u%s", forms[leaf].before, number,
            forms[leaf].after);
}

void crowd_name_home(unsigned number, char name[BOOK_NAME_BYTES])
{
    (void)snprintf(name, BOOK_NAME_BYTES, "home of %u", number);
}

static uint32_t find_home(struct crowd_worker *w, const struct crowd_hall *hall)
{
    char name[BOOK_NAME_BYTES];

    crowd_name_home(w->number, name);
    return book_find(crowd_book(w), hall->object, name);
}

/* Anywhere, for a file, or for a home. */
static struct crowd_spot any_spot(struct crowd_worker *w, bool is_home)
{
    struct crowd_spot spot = {.hall = &w->crowd->halls[crowd_roll(w, CROWD_HALLS)],
            .in_home = !is_home && crowd_roll(w, 3) == 0,
            .leaf = crowd_roll(w, CROWD_LEAVES)};

    if (is_home) {
        crowd_name_home(w->number, spot.name);
    } else {
        crowd_name_leaf(w->number, spot.leaf, spot.name);
    }
    pthread_mutex_lock(&w->crowd->lock);
    spot.parent = spot.in_home ? find_home(w, spot.hall) : spot.hall->object;
    spot.object = spot.parent == BOOK_NOTHING
                          ? BOOK_NOTHING
                          : book_find(crowd_book(w), spot.parent, spot.name);
    pthread_mutex_unlock(&w->crowd->lock);
    return spot;
}

bool crowd_pick(
        struct crowd_worker *w, bool is_home, bool taken, struct crowd_spot *ret)
{
    const bool again = taken && !is_home && crowd_roll(w, 2) == 0;

    for (int i = 0; i < TRIES; i++) {
        *ret = any_spot(w, is_home);
        if (ret->parent != BOOK_NOTHING && (ret->object != BOOK_NOTHING) == taken &&
                (!again || ret->object == w->last || i > TRIES * 3 / 4)) {
            w->last = is_home ? w->last : ret->object;
            return true;
        }
    }
    return false;
}

static fat_err open_parent(
        struct crowd_worker *w, const struct crowd_spot *spot, struct fat_node **ret)
{
    char name[BOOK_NAME_BYTES];
    struct fat_found found;
    fat_err err;

    if (!spot->in_home) {
        *ret = fat_node_ref(spot->hall->node);
        return FAT_OK;
    }
    crowd_name_home(w->number, name);
    err = fat_lookup(spot->hall->node, name, &found);
    *ret = err == FAT_OK ? found.node : NULL;
    return err;
}

fat_err crowd_open_spot(
        struct crowd_worker *w, const struct crowd_spot *spot, struct fat_node **ret)
{
    struct fat_node *parent;
    struct fat_found found;
    fat_err err = open_parent(w, spot, &parent);

    if (err == FAT_OK) {
        err = fat_lookup(parent, spot->name, &found);
        fat_node_unref(parent);
        *ret = err == FAT_OK ? found.node : NULL;
    }
    return err;
}

/* Names. */

static fat_err make_it(
        struct crowd_worker *w, const struct crowd_spot *spot, bool is_home)
{
    struct fat_node *parent;
    struct fat_found found;
    fat_err err = open_parent(w, spot, &parent);

    if (err == FAT_OK) {
        crowd_set_clock(spot->object);
        err = (is_home ? fat_mkdir : fat_create)(parent, spot->name, 0, &found);
        crowd_set_clock(0);
        fat_node_unref(parent);
    }
    if (err == FAT_OK) {
        fat_node_unref(found.node);
    }
    return err;
}

static void take_back(struct crowd_worker *w, uint32_t object)
{
    crowd_begin(w, "there was no room: object %u isn't there", object);
    book_remove(crowd_book(w), object);
    crowd_change(w, object);
    crowd_go(w);
}

static void make(struct crowd_worker *w, bool is_home)
{
    struct crowd_spot spot;

    if (!crowd_pick(w, is_home, false, &spot)) {
        return;
    }
    crowd_begin(w, "create \"%s\" in object %u", spot.name, spot.parent);
    spot.object = book_create(crowd_book(w), spot.parent, spot.name, is_home);
    book_set_attributes(crowd_book(w), spot.object, is_home ? 0 : FAT_NODE_ARCHIVE);
    crowd_change(w, spot.object);
    crowd_go(w);
    if (crowd_expect(w, "create", make_it(w, &spot, is_home)) != FAT_OK) {
        take_back(w, spot.object);
    }
    w->last = is_home ? w->last : spot.object;
    crowd_end(w);
}

static void make_file(struct crowd_worker *w)
{
    make(w, false);
}

static void make_home(struct crowd_worker *w)
{
    make(w, true);
}

static void remove_one(struct crowd_worker *w)
{
    const bool is_home = crowd_roll(w, 4) == 0;
    struct fat_node *parent;
    struct crowd_spot spot;
    fat_err err;

    if (!crowd_pick(w, is_home, true, &spot)) {
        return;
    }
    crowd_begin(w, "remove \"%s\" in object %u", spot.name, spot.parent);
    if (!book_is_empty(crowd_book(w), spot.object)) {
        crowd_go(w);
        crowd_end(w);
        return;
    }
    book_remove(crowd_book(w), spot.object);
    crowd_change(w, spot.object);
    crowd_go(w);
    err = open_parent(w, &spot, &parent);
    if (err == FAT_OK) {
        err = (is_home ? fat_rmdir : fat_unlink)(parent, spot.name);
        fat_node_unref(parent);
    }
    if (crowd_expect(w, "remove", err) != FAT_OK) {
        crowd_complain(w->crowd, "removing takes room");
    }
    crowd_end(w);
}

static fat_err rename_it(struct crowd_worker *w, const struct crowd_spot *from,
        const struct crowd_spot *to)
{
    struct fat_node *old;
    struct fat_node *new;
    fat_err err = open_parent(w, from, &old);

    if (err != FAT_OK) {
        return err;
    }
    err = open_parent(w, to, &new);
    if (err == FAT_OK) {
        err = fat_rename(old, from->name, new, to->name, 0);
        fat_node_unref(new);
    }
    fat_node_unref(old);
    return err;
}

static void move_back(struct crowd_worker *w, const struct crowd_spot *from,
        const struct crowd_spot *to)
{
    crowd_begin(w, "there was no room: object %u stays", from->object);
    book_move(crowd_book(w), from->object, from->parent, from->name);
    crowd_change(w, from->object);
    if (to->object != BOOK_NOTHING) {
        book_move(crowd_book(w), to->object, to->parent, to->name);
        crowd_change(w, to->object);
    }
    crowd_go(w);
}

/* Onto another file of its own, or an empty home, if there is one. */
static void rename_one(struct crowd_worker *w)
{
    const bool is_home = crowd_roll(w, 4) == 0;
    struct crowd_spot from;
    struct crowd_spot to = any_spot(w, is_home);

    if (!crowd_pick(w, is_home, true, &from) || to.parent == BOOK_NOTHING ||
            to.object == from.object) {
        return;
    }
    crowd_begin(w, "rename \"%s\" in object %u to \"%s\" in object %u", from.name,
            from.parent, to.name, to.parent);
    if (to.object != BOOK_NOTHING) {
        if (!book_is_empty(crowd_book(w), to.object)) {
            crowd_go(w);
            crowd_end(w);
            return;
        }
        book_remove(crowd_book(w), to.object);
        crowd_change(w, to.object);
    }
    book_move(crowd_book(w), from.object, to.parent, to.name);
    crowd_change(w, from.object);
    crowd_go(w);
    if (crowd_expect(w, "rename", rename_it(w, &from, &to)) != FAT_OK) {
        move_back(w, &from, &to);
    }
    crowd_end(w);
}

void crowd_own_step(struct crowd_worker *w)
{
    static void (*const steps[])(struct crowd_worker *) = {make_file, make_file,
            make_file, make_home, remove_one, remove_one, rename_one, rename_one,
            rename_one, crowd_commit};
    const uint32_t others = 13; /* as many again, and more, are about contents */
    const uint32_t count = sizeof(steps) / sizeof(steps[0]);
    const uint32_t which = crowd_roll(w, count + others);

    (which < count ? steps[which] : crowd_content_step)(w);
}
