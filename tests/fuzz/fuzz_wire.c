/* SPDX-License-Identifier: MIT */
/* A message that is sound is written back as it was; its text stays in the packet. */
#include <string.h>

#include "fuzz.h"
#include "service/wire.h"

static void check_sound(
        const struct fat_wire_message *message, const uint8_t *packet, size_t length)
{
    uint8_t *const again = malloc(length);

    PROMISE(again);
    PROMISE(memcmp(fat_wire_name(message->kind), packet, 4) == 0);
    PROMISE(!message->text ||
            message->text + strlen(message->text) + 1 == (const char *)packet + length);
    PROMISE(fat_wire_encode(message, again, length - 1) == 0);
    PROMISE(fat_wire_encode(message, again, length) == length);
    PROMISE(memcmp(again, packet, length) == 0);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct fat_wire_message message;

    if (fat_wire_decode(bytes, length, &message) == FAT_WIRE_SOUND) {
        check_sound(&message, bytes, length);
    }
    return 0;
}
