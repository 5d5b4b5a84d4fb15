/* SPDX-License-Identifier: MIT */
/* One program, two ways in: from a command line, or from systemd for one connection. */
#include "by_hand.h"
#include "by_service.h"
#include "server.h"
#include "tools/text/streams.h"

int main(int argc, char **argv)
{
    int status;

    if (!streams_begin()) {
        return EXIT_SYSTEM;
    }
    return fat_by_service(argc, argv, &status) ? status : fat_by_hand(argc, argv);
}
