#!/usr/bin/env python3
"""Prints what share of the lines of each room was executed: coverage.py BUILD [--files ROOM]

Reads gcov's counts for the objects of a build with --coverage. A process that is killed, or that
leaves with _exit, is not counted.
"""

import argparse
import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]
PARTS = ("journal", "codec", "replay")


def room_of(path):
    """journal/src/store/x.cpp is in journal/store, journal/os/x.cpp in journal/os."""
    parts = path.split("/")
    if parts[1] == "src":
        return f"{parts[0]}/{parts[2]}" if len(parts) > 3 else parts[0]
    return f"{parts[0]}/{parts[1]}"


def executed_lines(build):
    """By path: by line, whether any object executed it."""
    lines = {}
    for counts in sorted(build.rglob("*.gcda")):
        text = subprocess.run(["gcov", "--json-format", "--stdout", counts], cwd=counts.parent,
                              check=True, capture_output=True, text=True).stdout
        for document in filter(None, text.splitlines()):
            for source in json.loads(document)["files"]:
                path = pathlib.Path(counts.parent, source["file"]).resolve()
                if not path.is_relative_to(ROOT):
                    continue
                name = str(path.relative_to(ROOT))
                if not name.startswith(tuple(part + "/" for part in PARTS)):
                    continue
                seen = lines.setdefault(name, {})
                for line in source["lines"]:
                    number = line["line_number"]
                    seen[number] = seen.get(number, False) or line["count"] != 0
    return lines


def show(title, executed, total):
    print(f"{title:<44} {total:>6} lines {100 * executed / max(total, 1):>6.1f} %")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--files", metavar="ROOM", help="the files of a room, and the lines missed")
    asked = parser.parse_args()
    lines = executed_lines(asked.build.resolve())
    rooms = {}
    for name, seen in sorted(lines.items()):
        room = room_of(name)
        executed, total = rooms.get(room, (0, 0))
        rooms[room] = (executed + sum(seen.values()), total + len(seen))
        if asked.files in (room, room.split("/")[-1]):
            show(name, sum(seen.values()), len(seen))
            missed = [str(number) for number, was in sorted(seen.items()) if not was]
            if missed:
                print("    not executed: " + " ".join(missed))
    if asked.files:
        return
    for room, (executed, total) in sorted(rooms.items()):
        show(room, executed, total)
    show("all", sum(one for one, _ in rooms.values()), sum(all_ for _, all_ in rooms.values()))


if __name__ == "__main__":
    main()
