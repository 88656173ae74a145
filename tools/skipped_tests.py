#!/usr/bin/env python3
"""Prints which tests of a ctest run were skipped, and why: skipped_tests.py JUNIT.XML"""

import json
import re
import sys
import xml.etree.ElementTree as xml


def reason_in(output):
    """The reason a program printed: a row's line of result, or a test's WARN("skipped: ...")."""
    reasons = []
    for line in output.splitlines():
        if line.startswith('{"row":'):
            reasons.append(json.loads(line)["skipped"])
        elif line.strip().startswith("skipped: "):
            reasons.append(line.strip().removeprefix("skipped: "))
    return "; ".join(dict.fromkeys(filter(None, reasons))) or "it does not say why"


def main(path):
    skipped = []
    for case in xml.parse(path).iter("testcase"):
        if case.find("skipped") is None:
            continue
        output = case.findtext("system-out") or ""
        skipped.append((case.get("name"), reason_in(re.sub(r"\x1b\[[0-9;]*m", "", output))))
    print(f"{len(skipped)} tests were skipped" + (":" if skipped else ""))
    for name, reason in skipped:
        print(f"  {name}: {reason}")


if __name__ == "__main__":
    main(sys.argv[1])
