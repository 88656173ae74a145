"""Runs the tests against one mutant after another and keeps what came of it."""

import dataclasses
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time


SLOW_TEST_SECONDS = 0.3


@dataclasses.dataclass
class Program:
    name: str
    command: list
    seconds: float = 0.0  # without any mutant
    reached: bytes = b""  # by number of mutant


class Judge:
    def __init__(self, copy, home):
        self.copy = copy
        self.home = pathlib.Path(home)
        self.scratch = self.home / "tmp"
        memory = pathlib.Path("/dev/shm")
        self.memory = memory / f"pawl-mutants-{os.getpid()}" if memory.is_dir() else self.scratch
        self.programs = []

    def units(self, areas):
        return [Program(f"{area} units", [str(self.copy.build / f"tests/pawl_{area}_tests"),
                                          "--abort"]) for area in areas]

    def with_slow_tests_apart(self, unit):
        """A program of units as several: the slow tests alone, so that only mutants which they
        reach wait for them."""
        timed = subprocess.run([*unit.command, "--durations", "yes"], capture_output=True, text=True,
                               cwd=self.fresh_scratch(),
                               env={**os.environ, "TMPDIR": str(self.scratch)}).stdout
        seconds = {}
        for took, name in re.findall(r"^(\d+\.\d+) s: (.*)$", timed, re.M):
            seconds[name] = seconds.get(name, 0) + float(took)
        slow = [re.sub(r'([\\,\[\]"*~])', r"\\\1", name)
                for name, took in seconds.items() if took > SLOW_TEST_SECONDS]
        if not slow:
            return [unit]
        return [Program(unit.name, [*unit.command, *("~" + name for name in slow)]),
                *(Program(f"{unit.name}, {name}", [*unit.command, name]) for name in slow)]

    def rows(self):
        """The quick rows: what ctest runs of the fault suites."""
        text = (self.copy.root / "tests/faults/registered.cmake").read_text()
        for name, arguments in re.findall(r"^pawl_add_fault\((\w+) ARGUMENTS ([^)]*?)(?: ALONE)?\)",
                                          text, re.M):
            program = self.copy.build / f"tests/faults/pawl_fault_{name}"
            yield Program(name, [str(program), *arguments.split(), "--directory", str(self.memory)])

    @staticmethod
    def targets(programs):
        return [pathlib.Path(program.command[0]).name for program in programs]

    def fresh_scratch(self):
        for directory in (self.scratch, self.memory):
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir(parents=True)
        return self.scratch

    def run(self, program, limit, **environment):
        """How a program ended: "passed", "skipped", "failed", "crashed" or "hung"."""
        self.fresh_scratch()
        child = subprocess.Popen(
            program.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL, start_new_session=True, cwd=self.scratch,
            env={**os.environ, "TMPDIR": str(self.scratch), **environment})
        try:
            status = child.wait(limit)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            # What it started, it may have left behind.
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            child.wait()
            shutil.rmtree(self.memory, ignore_errors=True)
        if status is None:
            return "hung"
        if status < 0:
            return "crashed"
        return {0: "passed", 77: "skipped"}.get(status, "failed")

    def trace(self, programs, wanted):
        """Runs every program without a mutant: it must pass, and shows which places it reaches."""
        trace = self.home / "trace"
        units = [part for one in programs if one.name.endswith(" units")
                 for part in self.with_slow_tests_apart(one)]
        rows = [one for one in programs if not one.name.endswith(" units")]
        for program in (*units, *rows):
            trace.unlink(missing_ok=True)
            begin = time.monotonic()
            ended = self.run(program, 900, PAWL_MUTANT_TRACE=str(trace))
            program.seconds = time.monotonic() - begin
            if ended not in ("passed", "skipped"):
                raise RuntimeError(f"{program.name} {ended} without a mutant")
            program.reached = trace.read_bytes() if trace.exists() else b""
            if any(number < len(program.reached) and program.reached[number] for number in wanted):
                self.programs.append(program)
        self.programs.sort(key=lambda one: one.seconds)

    def judge(self, number):
        """By which program the mutant is caught and how; None if it survives."""
        reached = False
        for program in self.programs:
            if number >= len(program.reached) or not program.reached[number]:
                continue
            reached = True
            limit = 15 + 8 * program.seconds
            ended = self.run(program, limit, PAWL_MUTANT=str(number))
            if ended not in ("passed", "skipped"):
                return {"verdict": "caught", "by": program.name, "how": ended}
        return {"verdict": "survived" if reached else "unreached", "by": "", "how": ""}


class Results:
    """What was found out before, a line each. A mutant that was caught stays caught; one that was
    not is tried again once the tests have changed."""

    def __init__(self, path, tests):
        self.path = pathlib.Path(path)
        self.tests = tests
        self.known = {}
        if self.path.is_file():
            for line in self.path.read_text().splitlines():
                one = json.loads(line)
                self.known[self.key(one["identity"], one["source"])] = one

    @staticmethod
    def key(identity, source):
        return (tuple(identity), source)

    def find(self, mutation, source):
        one = self.known.get(self.key(mutation.identity, source))
        if one is None or (one["verdict"] != "caught" and one["tests"] != self.tests):
            return None
        return one

    def add(self, mutation, source, verdict):
        one = {"identity": list(mutation.identity), "source": source, "tests": self.tests, **verdict}
        self.known[self.key(mutation.identity, source)] = one
        with self.path.open("a") as to:
            to.write(json.dumps(one) + "\n")
        return one
