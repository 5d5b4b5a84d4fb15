#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Adds up the JUnit reports of several ctest runs.

usage: tally.py [--strict] DIRECTORY

DIRECTORY holds NAME.xml for each build that was tested and NAME.broken for each
that could not be, which counts as one failure. A skipped test gives its reason in
a line "SKIP: reason". What a test has tried is in lines of its output

    count: 1234 states judged

one of each kind or several, which are added up over all tests of all builds.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree as xml

# What ctest says of a test that chose to skip itself; anything else that did not
# run (a program that was not built, a failed fixture) is a failure.
CHOSEN = re.compile(r"^(SKIP_RETURN_CODE|SKIP_REGULAR_EXPRESSION)|^Disabled$", re.I)

KINDS = ("states judged", "faults injected", "images tried", "executions fuzzed")
COUNT = re.compile(rf"^count: (\d+) ({'|'.join(KINDS)})$", re.M)


def judge(case):
    """(verdict, reason) of one <testcase>."""
    output = case.findtext("system-out") or ""
    status = case.get("status")
    if status == "run" and case.find("failure") is None:
        return "passed", ""
    skipped = case.find("skipped")
    message = skipped.get("message", "") if skipped is not None else ""
    if status == "disabled" or CHOSEN.match(message):
        said = re.search(r"SKIP: *(.+)", output)
        return "skipped", said.group(1).strip() if said else message or "disabled"
    failure = case.find("failure")
    if failure is not None:
        message = failure.get("message", "")
    return "failed", message or status or "no verdict"


def main(arguments):
    strict = "--strict" in arguments
    folder = pathlib.Path([a for a in arguments if a != "--strict"][0])
    tally = {"passed": [], "failed": [], "skipped": []}
    tried = dict.fromkeys(KINDS, 0)

    for broken in sorted(folder.glob("*.broken")):
        tally["failed"].append(f"{broken.stem}: could not be built or run")
    for report in sorted(folder.glob("*.xml")):
        try:
            cases = list(xml.parse(report).iter("testcase"))
        except xml.ParseError as error:
            tally["failed"].append(f"{report.stem}: unreadable report: {error}")
            continue
        for case in cases:
            verdict, reason = judge(case)
            tally[verdict].append(f"{report.stem}: {case.get('name')}: {reason}")
            for number, kind in COUNT.findall(case.findtext("system-out") or ""):
                tried[kind] += int(number)

    print()
    for verdict in ("failed", "skipped"):
        for line in tally[verdict]:
            print(f"{verdict}: {line}")
    total = sum(len(lines) for lines in tally.values())
    if total == 0:
        print("no test matched")
    if any(tried.values()):
        print(", ".join(f"{number:,} {kind}" for kind, number in tried.items()))
    print(", ".join(f"{len(lines)} {verdict}" for verdict, lines in tally.items()))
    return 1 if tally["failed"] or total == 0 or (strict and tally["skipped"]) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
