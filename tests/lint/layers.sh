#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The floors of the house, enforced. docs/architecture.md draws them.
# usage: layers.sh ROOT
# shellcheck disable=SC2046 # lists of folders are meant to be split
. "$(dirname "$0")/lib.sh"
cd "$root" || exit 2

floors="base ondisk block alloc tree volume" # low to high
any=$(echo "$floors" | tr ' ' '|')

# 1. Every include of the engine spells its floor.
complain "include does not spell its floor" "$(
    grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' engine --include='*.[ch]' |
        grep -vE "include[[:space:]]*\"($any)/[a-z0-9_]+\.(h|inc)\"")"

# 2. A file includes its own floor or a lower one. Lines of $edges: "from to",
#    both as floor/module.
edges=$(cd engine && for floor in $floors; do
    [ -d "$floor" ] && grep -rHoE "^[[:space:]]*#[[:space:]]*include[[:space:]]*\"($any)/[a-z0-9_]+\.(h|inc)\"" \
        --include='*.[ch]' "$floor"
done | sed -E 's/\.[ch]:[^"]*"/ /; s/\.(h|inc)"$//')
complain "upward include" "$(echo "$edges" | awk -v floors="$floors" '
    BEGIN { n = split(floors, f, " "); for (i = 1; i <= n; i++) rank[f[i]] = i }
    NF == 2 {
        split($1, from, "/"); split($2, to, "/")
        if (rank[to[1]] > rank[from[1]]) print $1 " -> " $2
    }' | sort -u)"

# 3. Modules (name.c with name.h) form no circle; neither do the headers of the door.
circle()
{
    awk 'NF == 2 && $1 != $2' | sort -u | tsort 2>&1 >/dev/null | sed '/contains a loop/d; s/^tsort: //'
}
complain "include circle" "$(echo "$edges" | circle)"
complain "include circle" "$(grep -rHoE '#include <fatward/[a-z0-9_]+\.h>' engine/include 2>/dev/null |
    sed -E 's|^engine/include/||; s|\.h:#include <| |; s|\.h>$||' | circle)"

# 4. The door needs nothing from behind it.
complain "the door includes what is behind it" "$(
    grep -rnE '#[[:space:]]*include[[:space:]]*"' engine/include 2>/dev/null)"

# 5. libfuse is known to fuse/ and service/ and the tests of these only, systemd to
#    service/ only.
complain "libfuse outside fuse/ and service/" "$(
    grep -rnE '#[[:space:]]*include[[:space:]]*[<"](fuse3/)?fuse(_[a-z]+)?\.h' --include='*.[ch]' \
        --exclude-dir=service $(present engine tools tests))"
complain "systemd outside service/" "$(
    grep -rnE '#[[:space:]]*include[[:space:]]*[<"]systemd/' --include='*.[ch]' $(present engine tools fuse tests))"

# 6. Whoever lives outside the engine sees the door alone: what is in quotes is found
#    beside it, below its own top folder, or spelled from the top of the tree.
for user in $(present fuse service tools tests/integration tests/bench); do
    complain "not through the door" "$(
        grep -rHnoE '#[[:space:]]*include[[:space:]]*"[^"]+"' --include='*.[ch]' "$user" |
            while IFS=: read -r file line text; do
                name=$(echo "$text" | sed 's/^[^"]*"//; s/"$//')
                case $name in
                *..*) echo "$file:$line: $name" ;;
                fuse/* | service/* | tools/*) [ -e "$name" ] || echo "$file:$line: $name" ;;
                *)
                    [ -e "$(dirname "$file")/$name" ] || [ -e "$user/$name" ] ||
                        echo "$file:$line: $name"
                    ;;
                esac
            done)"
done

# 7. base/ and ondisk/ do no I/O.
complain "I/O in a pure floor" "$(
    grep -rnE '#[[:space:]]*include[[:space:]]*<(stdio|unistd|fcntl|poll|syslog|sys/[a-z]+)\.h>' \
        --include='*.[ch]' $(present engine/base engine/ondisk))"

# 8. Which of the three widths a volume has is known to ondisk/ and alloc/, and to
#    those who make and judge whole volumes.
complain "FAT width known above alloc/" "$(
    grep -rnwE 'FAT_TYPE_(12|16|32)' --include='*.[ch]' $(present engine/base engine/block engine/tree engine/volume) |
        grep -vE '^engine/volume/(format|check)[a-z0-9_]*\.[ch]:')"

# 9. The engine never prints, never ends the process, and has no goto. A lock that the
#    system refuses is no input: base/lock has nobody it could tell.
complain "the engine prints or exits" "$(
    grep -rnE '(^|[^a-z_])(v?f?printf|f?puts|perror|syslog|abort|_?exit)\(' --include='*.[ch]' engine |
        grep -vE ':[[:space:]]*(/?\*)' | grep -vE '^engine/base/lock\.c:[0-9]+:[[:space:]]*abort\(')"
complain "goto" "$(grep -rnE '^[[:space:]]*goto[[:space:]]+[a-z_]+;' --include='*.[ch]' engine)"

exit $bad
