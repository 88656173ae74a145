#!/usr/bin/env python3
"""check_shown.py PAGE TOOLS PROGRAM: runs PROGRAM in a new directory, and then the commands that the page shows after
a $ there, in order. The output of each must be what the page shows below it; only times may differ.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")


def shown(page):
    """Yields (command, output) for each command on the page."""
    command, output = None, []
    for line in page.read_text().splitlines():
        if command is not None and (line.startswith("    $ ") or not line.startswith("    ")):
            yield command, "\n".join(output)
            command, output = None, []
        if line.startswith("    $ "):
            command = line.removeprefix("    $ ")
        elif command is not None:
            output.append(line.removeprefix("    "))


def without_times(text):
    return [TIME.sub("TIME", line).rstrip() for line in text.splitlines()]


def main():
    page, tools, program = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    environment = os.environ | {"PATH": tools + os.pathsep + os.environ["PATH"]}
    checked = 0
    with tempfile.TemporaryDirectory() as home:
        subprocess.run([program], cwd=home, check=True)
        for command, expected in shown(page):
            done = subprocess.run(command, shell=True, cwd=home, env=environment, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            if done.returncode != 0 or without_times(done.stdout) != without_times(expected):
                sys.exit(f"{page}: `{command}` gave, with exit code {done.returncode}:\n{done.stdout}")
            checked += 1
    if checked == 0:
        sys.exit(f"{page} shows no command")


main()
