"""Plants mutations into a copy of the sources and sees that they compile."""

import json
import pathlib
import re
import shlex
import subprocess


class Copy:
    """A copy of the repository's files in the build tree, which is configured and built there."""

    def __init__(self, root, home, jobs):
        self.root = pathlib.Path(root)
        self.source = pathlib.Path(home) / "source"
        self.build = pathlib.Path(home) / "build"
        self.jobs = jobs

    def refresh(self, planted):
        """Brings the copy up to date: `planted` holds what some of the files are to be instead."""
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=self.root, check=True, capture_output=True, text=True).stdout.split("\n")
        names = {name for name in listed if name and (self.root / name).is_file()}
        for name in names:
            text = planted[name].encode() if name in planted else (self.root / name).read_bytes()
            target = self.source / name
            if target.is_file() and target.read_bytes() == text:
                continue  # what has not changed is not built again
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text)
            target.chmod((self.root / name).stat().st_mode)
        for old in self.source.rglob("*"):
            if old.is_file() and str(old.relative_to(self.source)) not in names:
                old.unlink()

    def configure(self):
        if not (self.build / "build.ninja").is_file():
            self._configure_fresh()
        # Without what is made from schemas, the sources that include it cannot be checked.
        listed = subprocess.run(
            ["ninja", "-C", self.build, "-t", "targets", "rule", "CUSTOM_COMMAND"],
            check=True, capture_output=True, text=True).stdout.splitlines()
        headers = [name for name in listed if name.endswith("_generated.h")]
        if headers:
            subprocess.run(["ninja", "-C", self.build, *headers], check=True,
                           stdout=subprocess.DEVNULL)

    def _configure_fresh(self):
        header = self.source / "tests/faults/mutants/mutant.hpp"
        subprocess.run(
            ["cmake", "-G", "Ninja", "-S", self.source, "-B", self.build,
             "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS_RELEASE=-O1 -DNDEBUG",
             f"-DCMAKE_CXX_FLAGS=-w -include {header}", "-DPAWL_WERROR=OFF",
             "-DPAWL_BUILD_TOOLS=OFF", "-DPAWL_BUILD_BENCH=OFF", "-DPAWL_TEST_CONSUMER=OFF"],
            check=True, stdout=subprocess.DEVNULL)

    def make(self, targets):
        done = subprocess.run(
            ["cmake", "--build", self.build, "-j", str(self.jobs), "--target", *targets],
            capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError("the mutants do not build:\n" + done.stdout[-4000:])

    def commands(self):
        """How each source is compiled, by its path in the repository."""
        entries = json.loads((self.build / "compile_commands.json").read_text())
        found = {}
        for entry in entries:
            path = pathlib.Path(entry["file"])
            if path.is_relative_to(self.source):
                found.setdefault(str(path.relative_to(self.source)), entry)
        return found


def weave(text, chosen):
    """The text with each (number, mutation) of `chosen` planted, its lines where they were."""
    for number, mutation in sorted(chosen, key=lambda one: -one[1].begin):
        planted = mutation.planted.replace("NUMBER", str(number))
        text = text[:mutation.begin] + planted + text[mutation.end:]
    return text


def without_overlaps(candidates, most):
    """The first `most` candidates that do not touch each other."""
    taken = {}
    chosen = []
    for one in candidates:
        if len(chosen) == most:
            break
        ranges = taken.setdefault(one.path, [])
        if any(one.begin <= end and begin <= one.end for begin, end in ranges):
            continue
        ranges.append((one.begin, one.end))
        chosen.append(one)
    return chosen


def includer_of(path, sources, seen=()):
    """A source that is compiled and includes the header, itself or through other headers."""
    name = re.sub(r"^\w+/(src|include)/|^journal/(?=os/)", "", path)
    including = re.compile(rf'#include ["<](\.\./)*{re.escape(name)}[">]')
    headers = []
    for other, text in sources.items():
        if including.search(text) and other not in seen:
            if other.endswith(".cpp"):
                return other
            headers.append(other)
    for header in headers:
        found = includer_of(header, sources, (*seen, path))
        if found:
            return found
    return None


def _errors(copy, entry):
    words = [word for word in shlex.split(entry["command"]) if not word.endswith("ccache")]
    if "-o" in words:
        at = words.index("-o")
        del words[at:at + 2]
    done = subprocess.run([*words, "-fsyntax-only"], cwd=entry["directory"], capture_output=True,
                          text=True)
    if done.returncode == 0:
        return None
    lines = {}
    for path, line in re.findall(r"^([^\s:]+):(\d+):(?:\d+:)? error", done.stderr, re.M):
        full = (pathlib.Path(entry["directory"]) / path).resolve()
        if full.is_relative_to(copy.source.resolve()):
            name = str(full.relative_to(copy.source.resolve()))
            lines.setdefault(name, set()).add(int(line))
    return lines


def _unfit(planted, lines):
    """Those of a file's mutations that lie on a line with an error; all, if none does."""
    hit = [one for one in planted
           if any(one.line <= line <= one.line + one.planted.count("\n") for line in lines)]
    return hit or planted


def plant(copy, texts, candidates, most):
    """Plants up to `most` of the candidates, in order, and returns those that compile."""
    copy.refresh({})
    copy.configure()
    commands = copy.commands()
    sources = {name: text for name, text in texts.items()
               if name.endswith(".hpp") or name in commands}
    unfit = set()
    while True:
        chosen = without_overlaps((one for one in candidates if one not in unfit), most)
        numbered = list(enumerate(chosen, start=1))
        by_path = {}
        for number, one in numbered:
            by_path.setdefault(one.path, []).append((number, one))
        copy.refresh({path: weave(texts[path], some) for path, some in by_path.items()})
        before = len(unfit)
        for path, some in by_path.items():
            planted = [one for _, one in some]
            source = path if path in commands else includer_of(path, sources)
            errors = {} if source is None else _errors(copy, commands[source])
            if errors is None:
                continue
            lines = errors.get(path, set())
            if lines or not errors:
                unfit.update(_unfit(planted, lines))
        if len(unfit) == before:
            return numbered
