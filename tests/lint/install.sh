#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What a configured build installs can be used by a stranger, both through pkg-config
# and as a CMake package.
# usage: install.sh ROOT BUILD
. "$(dirname "$0")/lib.sh"
build=${2:?usage: install.sh ROOT BUILD}
need cmake pkg-config cc

work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
prefix=$work/dest/usr

fail()
{
    cat "$work/log"
    echo "$1"
    exit 1
}

# Some of it goes to places that no prefix moves (/sbin, systemd's folder for units).
DESTDIR=$work/dest cmake --install "$build" --prefix /usr >"$work/log" 2>&1 ||
    fail "can not be installed"

mkdir "$work/user"
cat >"$work/user/user.c" <<'END'
#include <fatward/error.h>

int main(void)
{
    return fat_err_errno(FAT_OK);
}
END
cat >"$work/user/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(user LANGUAGES C)
find_package(fatward 0.1 REQUIRED CONFIG)
add_executable(user user.c)
target_link_libraries(user PRIVATE fatward::fatward)
END

# A build with sanitizers needs their run-time library in every program.
flags=$(sed -n 's/^FAT_SANITIZE:STRING=\(..*\)/-fsanitize=\1/p' "$build/CMakeCache.txt")

pc=$(find "$prefix" -name fatward.pc)
[ -n "$pc" ] || fail "fatward.pc is not installed"
export PKG_CONFIG_PATH="${pc%/*}"
# The prefix given at install time is not the one fatward.pc was made with.
options=$(pkg-config --define-variable=prefix="$prefix" \
    --define-variable=includedir="$prefix/include" --define-variable=libdir="${pc%/pkgconfig/*}" \
    --cflags --libs fatward 2>"$work/log") || fail "pkg-config does not know fatward"
# shellcheck disable=SC2086
cc "$work/user/user.c" $flags $options -Wl,-rpath,"${pc%/pkgconfig/*}" -o "$work/user/a.out" \
    >"$work/log" 2>&1 || fail "does not link through pkg-config"
"$work/user/a.out" || fail "does not run through pkg-config"

cmake -S "$work/user" -B "$work/user/build" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_FLAGS="$flags" \
    >"$work/log" 2>&1 || fail "is no CMake package"
cmake --build "$work/user/build" >"$work/log" 2>&1 || fail "does not link as a CMake package"
"$work/user/build/user" || fail "does not run as a CMake package"
