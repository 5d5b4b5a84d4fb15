/* SPDX-License-Identifier: MIT */
/* One program, two ways in: from a command line, or from systemd for one connection. */
#include "by_hand.h"
#include "by_service.h"

int main(int argc, char **argv)
{
    int status;

    return fat_by_service(argc, argv, &status) ? status : fat_by_hand(argc, argv);
}
