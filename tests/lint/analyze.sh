#!/bin/sh
# SPDX-License-Identifier: MIT
#
# gcc's -fanalyzer over all that is shipped, with the flags of a configured build. It
# follows the cleanup attribute, which clang-tidy's leak check does not.
# usage: analyze.sh ROOT BUILD
. "$(dirname "$0")/lib.sh"
build=${2:?usage: analyze.sh ROOT BUILD}
need gcc python3

if [ ! -f "$build/compile_commands.json" ]; then
    echo "$build/compile_commands.json is missing: configure first"
    exit 1
fi

# One command a line, NUL at its end: gcc's whatever compiler the build has.
commands()
{
    python3 - "$root" "$build/compile_commands.json" <<'END'
import json, shlex, sys

root, database = sys.argv[1:]
shipped = tuple(f"{root}/{part}/" for part in ("engine", "fuse", "service", "tools"))
seen = set()
for entry in json.load(open(database)):
    if not entry["file"].startswith(shipped) or entry["file"] in seen:
        continue
    seen.add(entry["file"])
    flags = [f for f in shlex.split(entry["command"])[1:]
             if not f.startswith(("-Wthread-safety", "-fsanitize", "-fno-sanitize"))]
    flags[flags.index("-o") + 1] = "/dev/null"
    command = ["gcc", *flags, "-fanalyzer", "-Werror"]
    print(f"cd {shlex.quote(entry['directory'])} && {shlex.join(command)}", end="\0")
END
}

commands | xargs -0 -r -n 1 -P 2 sh -c || bad=1
exit $bad
