/* SPDX-License-Identifier: MIT */
/*
 * A volume and a plain tree that ought to look like it: what the random programs of
 * test_model.c need to choose names and files, and to compare the two.
 */
#ifndef TEST_VOLUME_MODEL_H
#define TEST_VOLUME_MODEL_H

#include "support/cmocka.h"
#include "support/image.h"
#include "support/reference.h"

enum { MODEL_HELD_MAX = 8, MODEL_NAME_ROOM = 300 };

struct model {
    struct image img;
    struct ref_node *root;
    uint64_t seed, state;
    unsigned step;
    bool loud;
    struct ref_node *held[MODEL_HELD_MAX]; /* each with a reference in .handle */
    uint32_t most_bytes;                   /* of a file                        */
    bool tilde;                            /* short names of others are used   */
    unsigned refused;                      /* steps that met a full volume     */
};

#define MODEL_SAY(p, ...)                     \
    do {                                      \
        if ((p)->loud) {                      \
            print_message("%4u ", (p)->step); \
            print_message(__VA_ARGS__);       \
        }                                     \
    } while (0)

#define MODEL_WRONG(p, ...)                                                           \
    do {                                                                              \
        print_message(                                                                \
                "program %llu, step %u: ", (unsigned long long)(p)->seed, (p)->step); \
        fail_msg(__VA_ARGS__);                                                        \
    } while (0)

/* What may be needed for a name: its set may ask for three clusters of a directory. */
enum { MODEL_NAME_CLUSTERS = 3 };

uint32_t model_roll(struct model *p, uint32_t sides);
void model_pick_name(struct model *p, char *name);
const char *model_typed(struct model *p, const char *name, char *room);
struct fat_node *model_node_of(struct model *p, struct ref_node *ref);
struct ref_node *model_pick_directory(struct model *p);
struct ref_node *model_pick_file(struct model *p);
int model_find(struct model *p, struct ref_node *directory, const char *name);
uint32_t model_cluster_bytes(const struct model *p);
uint32_t model_clusters(const struct model *p, uint64_t bytes);
bool model_excused(struct model *p, fat_err err, uint32_t needed);
void model_expect(struct model *p, fat_err got, fat_err wanted);
void model_compare_file(
        struct model *p, const struct ref_node *file, struct fat_node *node);
void model_compare_directory(
        struct model *p, const struct ref_node *directory, struct fat_node *node);
void model_compare_all(struct model *p);

#endif
