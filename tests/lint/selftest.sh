#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Every lint turns red on the fault it is for. A small clean tree is made, seen green
# by every lint, and then broken once per kind of fault.
# usage: selftest.sh ROOT
# shellcheck disable=SC2016 # backticks are Markdown here
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
need gcc clang clang-format clang-tidy run-clang-tidy nm cmake

work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
log=$work/log
spdx='/* SPDX-License-Identifier: MIT */'
runs=0

# c FILE LINE...: a C file of the tree with the licence line first
c()
{
    file=$tree/$1
    shift
    mkdir -p "${file%/*}"
    { echo "$spdx" && printf '%s\n' "$@"; } >"$file"
}

# Sets $tree to a new clean one.
plant()
{
    tree=$work/tree
    rm -rf "$tree" && mkdir -p "$tree/docs"
    cp "$root/.clang-format" "$root/.clang-tidy" "$tree"
    c engine/include/fatward/door.h '#ifndef FAT_DOOR_H' '#define FAT_DOOR_H' \
        '' '__attribute__((visibility("default"))) int fat_door(int);' '' '#endif'
    c engine/base/bytes.h '#ifndef B_H' '#define B_H' '' '#include <stdint.h>' \
        '' 'uint8_t fat_byte(void);' '' '#endif'
    c engine/tree/dir.h '#ifndef D_H' '#define D_H' '' '#include "base/bytes.h"' '' '#endif'
    c engine/tree/dir.c '#include "tree/dir.h"' '' '#include <fatward/door.h>' '' \
        'int fat_door(int n)' '{' '    return n + 1;' '}'
    c fuse/main.c '#include <fuse_lowlevel.h>' '' '#include <fatward/door.h>' '' '#include "ops.h"'
    c fuse/ops.h 'extern int ops;'
    c tools/mkimage/main.c '#include <fatward/door.h>'
    echo 'See `engine/tree/dir.c`, `tree/dir.h`, `tests/<floor>` and `other/thing`.' >"$tree/docs/A.md"
    echo "[{\"directory\": \"$tree\", \"file\": \"$tree/engine/tree/dir.c\"," \
        "\"command\": \"cc -std=c17 -Iengine -Iengine/include -o x -c engine/tree/dir.c\"}]" \
        >"$tree/compile_commands.json"
}

library()
{
    gcc -shared -fPIC -fvisibility=hidden -I"$tree/engine" -I"$tree/engine/include" \
        "$tree/engine/tree/dir.c" -o "$work/library.so"
}

# A build that installs a program's worth of nothing, or no more than headers.
empty_build()
{
    mkdir -p "$work/empty"
    printf 'cmake_minimum_required(VERSION 3.25)\nproject(none LANGUAGES NONE)\ninstall(FILES CMakeLists.txt DESTINATION x)\n' \
        >"$work/empty/CMakeLists.txt"
    cmake -S "$work/empty" -B "$work/empty/build" >/dev/null
}

run()
{
    case $1 in
    tidy | analyze) sh "$here/$1.sh" "$tree" "$tree" ;;
    symbols) library && sh "$here/symbols.sh" "$tree" "$work/library.so" ;;
    install) sh "$here/install.sh" "$tree" "$work/empty/build" ;;
    *) sh "$here/$1.sh" "$tree" ;;
    esac >"$log" 2>&1
}

# red LINT TEXT WHAT: LINT has to fail on the tree, saying TEXT, because of WHAT;
# and the tree is clean again afterwards
red()
{
    runs=$((runs + 1))
    run "$1"
    status=$?
    if [ $status -ne 1 ]; then
        complain "$1 exits with $status" "$3"
    elif ! grep -qF -- "$2" "$log"; then
        complain "$1 does not say '$2'" "$3"
        cat "$log"
    fi
    plant
}

plant
for lint in layers format tidy analyze headers symbols spdx docs; do
    run $lint || { complain "$lint is red on a clean tree" "$(cat "$log")"; }
done

c engine/base/low.c '#include "tree/dir.h"'
red layers 'upward include: base/low -> tree/dir' 'a lower floor includes a higher one'
c engine/base/a.h '#include "base/b.h"'
c engine/base/b.c '#include "base/a.h"'
red layers 'include circle' 'two modules include each other'
c engine/include/fatward/a.h '#include <fatward/b.h>'
c engine/include/fatward/b.h '#include <fatward/a.h>'
red layers 'include circle' 'two headers of the door include each other'
c engine/tree/bare.c '#include "dir.h"'
red layers 'include does not spell its floor' 'an include without its floor'
c engine/include/fatward/leak.h '#include "base/bytes.h"'
red layers 'the door includes what is behind it' 'the door includes a floor'
c engine/volume/v.c '#include <fuse_lowlevel.h>'
red layers 'libfuse outside' 'the engine includes libfuse'
c tools/mkimage/f.c '#include <fuse3/fuse.h>'
red layers 'libfuse outside' 'a tool includes libfuse'
c fuse/s.c '#include <systemd/sd-daemon.h>'
red layers 'systemd outside' 'the adapter includes systemd'
c tools/mkimage/t.c '#include "tree/dir.h"'
red layers 'not through the door' 'a tool includes a floor'
c tests/integration/t.c '#include "../../engine/tree/dir.h"'
red layers 'not through the door' 'an integration test includes a floor by a detour'
c engine/base/io.c '#include <stdio.h>'
red layers 'I/O in a pure floor' 'base/ includes stdio.h'
c engine/ondisk/io.c '#include <unistd.h>'
red layers 'I/O in a pure floor' 'ondisk/ includes unistd.h'
c engine/tree/width.c 'int w = FAT_TYPE_12;'
red layers 'FAT width known above alloc/' 'tree/ knows a width'
c engine/tree/print.c 'void f(void) { printf("x"); }'
red layers 'the engine prints or exits' 'the engine prints'
c engine/tree/jump.c 'void f(void)' '{' '    goto out;' 'out:;' '}'
red layers 'goto' 'the engine has a goto'

c engine/tree/ugly.c 'int  x;'
red format 'code should be clang-formatted' 'two spaces in a declaration'
c engine/tree/dir.c '#include "tree/dir.h"' 'int fat_door(int n)' '{' '    if (n)' '        return 1;' '    return 0;' '}'
red tidy 'readability-braces-around-statements' 'an if without braces'
c engine/tree/dir.c '#include <stdlib.h>' 'void f(void)' '{' '    char *p = malloc(3);' '    if (p) {' '        *p = 0;' '    }' '}'
red analyze 'analyzer-malloc-leak' 'a leak'
c engine/include/fatward/lame.h 'uint32_t lame(void);'
red headers 'does not compile alone: fatward/lame.h' 'a header of the door lacks an include'
c engine/tree/lame.h 'uint32_t lame(void);'
red headers 'does not compile alone: tree/lame.h' 'a header inside lacks an include'
c engine/tree/dir.c '__attribute__((visibility("default"))) int leaked;' 'int fat_door(int n)' '{' '    return n;' '}'
red symbols 'exported but not fat_: leaked' 'a symbol of another name is exported'
c engine/tree/dir.c 'int fat_hidden;'
red symbols 'exports nothing' 'the door has no default visibility'
echo 'int x;' >"$tree/engine/tree/free.c"
red spdx 'no SPDX line: ./engine/tree/free.c' 'a C file without a licence line'
printf '#!/bin/sh\n' >"$tree/tools/script"
red spdx 'no SPDX line: ./tools/script' 'a script without a licence line'
echo 'See `engine/tree/gone.c`.' >"$tree/docs/B.md"
red docs 'no such path: docs/B.md:1: engine/tree/gone.c' 'a document names a file that is gone'
echo 'See `tree/gone.*`.' >"$tree/README.md"
red docs 'engine/tree/gone.*' 'the README names a pattern that nothing matches'
c fuse/options.c '    OURS("loud", WORD_LOUD),'
mkdir "$tree/docs/man" &&
    echo '.BR \-o\ loudly' >"$tree/docs/man/fatward.8"
red docs 'not in fatward.8: loud' 'a mount option that the manual does not know'
plant_tool()
{
    c tools/mkimage/main.c '    {"size", required_argument, NULL, 1},' \
        "    \"      --$1=SIZE\\n\""
    mkdir -p "$tree/docs/man" && printf '.BI \\-\\-%s= SIZE\n' "$2" >"$tree/docs/man/fatward-mkimage.1"
}
plant_tool size size
run docs || complain "docs is red on options that agree" "$(cat "$log")"
plant_tool sise size
red docs 'tools/mkimage: --help and options differ: --sise' '--help has an option that there is not'
plant_tool size bytes
red docs 'manual and options differ: --bytes' 'a manual has an option that there is not'
if [ -e /usr/share/unicode/DerivedAge.txt ] && [ -e "$root/tools/gen-casefold" ]; then
    cp "$root/tools/gen-casefold" "$tree/tools"
    cp "$root/engine/base/casefold_table.inc" "$tree/engine/base"
    echo '/* edited by hand */' >>"$tree/engine/base/casefold_table.inc"
    red casefold 'is not what tools/gen-casefold writes' 'a generated table was edited'
fi
empty_build
red install 'fatward.pc is not installed' 'a build that installs no library'

[ $bad -eq 0 ] && echo "$runs faults seen"
exit $bad
