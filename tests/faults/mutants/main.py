#!/usr/bin/env python3
"""Plants random small mistakes and shows which of them no test notices."""

import argparse
import hashlib
import pathlib
import random
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from judging import Judge, Results  # noqa: E402
from mutations import mutations_of  # noqa: E402
from planting import Copy, plant  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[3]
PARTS = ("journal", "codec", "replay")


def sources(root):
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard",
                             *PARTS], cwd=root, check=True, capture_output=True, text=True).stdout
    return {name: (root / name).read_text() for name in listed.split("\n")
            if re.search(r"\.[ch]pp$", name) and (root / name).is_file()}


def equivalents(path):
    """Mutations that change nothing that anybody promised: path | kind | original | mistake | why."""
    found = set()
    for line in path.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        fields = [field.strip() for field in line.split(" | ")]
        if len(fields) != 5 or not fields[4]:
            raise ValueError(f"{path}: not five fields: {line}")
        found.add(tuple(fields[:4]))
    return found


def changed_lines(root, base):
    """The lines that were added since `base`, by path."""
    text = subprocess.run(["git", "diff", "-U0", base, "--", *PARTS], cwd=root, check=True,
                          capture_output=True, text=True).stdout
    lines = {}
    path = None
    for line in text.splitlines():
        if line.startswith("+++ "):
            path = line[6:]
        hunk = re.match(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@", line)
        if hunk:
            first, count = int(hunk.group(1)), int(hunk.group(2) or 1)
            lines.setdefault(path, set()).update(range(first, first + count))
    return lines


def candidates_of(texts, asked, known):
    """Everything that could be planted, in an order that follows from the seed."""
    changed = changed_lines(ROOT, asked.change) if asked.change else None
    all_of_them = []
    for path, text in sorted(texts.items()):
        if asked.no_headers and path.endswith(".hpp"):
            continue
        for one in mutations_of(path, text):
            if asked.room and asked.room not in (one.room, *one.room.split("/")):
                continue
            if changed is not None and one.line not in changed.get(path, ()):
                continue
            if one.identity not in known:
                all_of_them.append(one)
    random.Random(asked.seed).shuffle(all_of_them)
    return all_of_them


def digest_of(*texts):
    digest = hashlib.sha1()
    for text in texts:
        digest.update(text if isinstance(text, bytes) else text.encode())
    return digest.hexdigest()[:16]


def digest_of_tests():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard",
                             "tests"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return digest_of(*((ROOT / name).read_bytes() for name in sorted(listed.split("\n"))
                       if re.search(r"\.([ch]pp|cmake|fbs)$", name) and (ROOT / name).is_file()))


def show(mutation, verdict):
    print(f"{mutation.path}:{mutation.line}: {verdict['verdict']}: {mutation.kind}")
    print(f"    {mutation.original or '(the beginning of the function)'}")
    print(f"  → {mutation.mistake or '(nothing)'}", flush=True)


def show_score(judged):
    rooms = {}
    for mutation, verdict in judged:
        rooms.setdefault(mutation.room, []).append(verdict["verdict"] == "caught")
    rooms["all"] = [caught for some in list(rooms.values()) for caught in some]
    print(f"\n{'room':<20} {'mutants':>8} {'caught':>8}")
    for room, caught in sorted(rooms.items(), key=lambda one: (one[0] == "all", one[0])):
        share = 100 * sum(caught) // max(len(caught), 1)
        print(f"{room:<20} {len(caught):>8} {sum(caught):>8} {share:>4} %")


def arguments():
    parser = argparse.ArgumentParser(prog="tools/dev mutants", description=__doc__)
    parser.add_argument("--room", help="only there: journal/store, store, replay, …")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", default="1", help="which mistakes: any text, as a commit's hash")
    parser.add_argument("--change", metavar="BASE", help="only on lines changed since that commit")
    parser.add_argument("--jobs", type=int, default=2, help="for the build")
    parser.add_argument("--no-headers", action="store_true",
                        help="only in .cpp files: few other files are built again")
    parser.add_argument("--units-only", action="store_true", help="leave the quick rows out")
    return parser.parse_args()


def main():
    asked = arguments()
    home = ROOT / "build/mutants"
    home.mkdir(parents=True, exist_ok=True)
    texts = sources(ROOT)
    known = equivalents(pathlib.Path(__file__).with_name("equivalent.txt"))
    copy = Copy(ROOT, home, asked.jobs)
    planted = plant(copy, texts, candidates_of(texts, asked, known), asked.count)
    if not planted:
        print("nothing to plant there")
        return 0
    results = Results(home / "results.jsonl", digest_of_tests())
    judge = Judge(copy, home)
    programs = judge.units(["codec", "golden", "journal", "replay"])
    if not asked.units_only:
        programs += judge.rows()
    waiting = {number for number, one in planted
               if results.find(one, digest_of(texts[one.path])) is None}
    if waiting:
        print(f"building {len(planted)} mutants", file=sys.stderr, flush=True)
        copy.make(judge.targets(programs))
        judge.trace(programs, waiting)
    judged = []
    for number, mutation in planted:
        source = digest_of(texts[mutation.path])
        verdict = results.find(mutation, source)
        if verdict is None:
            verdict = results.add(mutation, source, judge.judge(number))
        judged.append((mutation, verdict))
        caught = verdict["verdict"] == "caught"
        print(f"{len(judged)} of {len(planted)}: {mutation.path}:{mutation.line} "
              f"{verdict['verdict']} {'by ' + verdict['by'] if caught else ''}", file=sys.stderr,
              flush=True)
    for mutation, verdict in judged:
        if verdict["verdict"] != "caught":
            show(mutation, verdict)
    show_score(judged)
    return 1 if asked.change and any(one["verdict"] != "caught" for _, one in judged) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as wrong:
        sys.exit(f"tools/dev mutants: {wrong}")
