#!/usr/bin/env python3
"""extract_examples.py ROOT OUT: writes OUT/PART_examples.cpp for journal, codec, replay and sqlite, made of every
example in the part's public headers and in the ```cpp blocks of every Markdown page.

An example in a header is a run of comment lines that are indented by five spaces. Its types, aliases and
specialisations (whatever begins in its first column with one of DECLARES) become declarations that the
examples of the part share; the rest becomes the body of a function. tests/readme/PART_context.hpp declares
what the examples use without introducing it. A block with a main() is a program: OUT/PAGE_example.cpp, where the page
is named by its path in ROOT, as in codec_readme.
"""
import pathlib
import re
import sys

# Where each part lies. A page belongs to the innermost.
PARTS = {"journal": "journal", "codec": "codec", "sqlite": "replay/sqlite", "replay": "replay"}
DECLARES = ("template", "struct ", "class ", "enum ", "using ")
EXAMPLE = re.compile(r"^\s*//(?: {5}(.*))?$")


def header_examples(path):
    """Yields (line, code lines) for each example."""
    lines = path.read_text().splitlines() + [""]
    run, first = [], 0
    for number, line in enumerate(lines, 1):
        match = EXAMPLE.match(line)
        if match and (match.group(1) is not None or run):
            if not run:
                first = number
            run.append(match.group(1) or "")
            continue
        if run:
            yield first, run
        run = []


def page_examples(path):
    run, first = None, 0
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line == "```cpp":
            run, first = [], number + 1
        elif line.startswith("```") and run is not None:
            yield first, run
            run = None
        elif run is not None:
            run.append(line)


def split(first, code):
    """Divides an example into (line, code) of declarations, and of its body."""
    declared, body, inside = [], [], False
    for number, line in enumerate(code, first):
        if not inside and line.startswith(DECLARES):
            declared.append((number, []))
            inside = True
        if inside:
            declared[-1][1].append(line)
            inside = not (line.startswith("}") or (len(declared[-1][1]) == 1 and line.endswith(";")))
        else:
            body.append((number, line))
    if inside:
        sys.exit(f"line {first}: a declaration of the example does not end in its first column")
    return declared, [(n, line) for n, line in body if line.strip()]


def check_schema(path, body, schema):
    """An example may show a table: it must be one of the examples' own schema."""
    for number, line in body:
        if line.startswith("table "):
            table = line[: line.index("}") + 1]
            if table not in schema:
                sys.exit(f"{path}:{number}: tests/readme/orders.fbs has no `{table}`")
    return [(n, line) for n, line in body if not line.startswith("table ")]


def write(path, text):
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def part_of(path, root):
    for part, place in PARTS.items():
        if path.is_relative_to(root / place):
            return part
    return "journal"


def main():
    root, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    schema = (root / "tests/readme/orders.fbs").read_text()
    sources = []
    for part, place in PARTS.items():
        headers = (root / place / "include/pawl" / part).glob("*.hpp")
        sources += [(h, header_examples(h)) for h in sorted(headers)]
    pages = [p for p in sorted(root.rglob("*.md")) if "build" not in p.relative_to(root).parts]
    sources += [(p, page_examples(p)) for p in pages]

    declarations = {part: [] for part in PARTS}
    bodies = {part: [] for part in PARTS}
    for path, examples in sources:
        part, name = part_of(path, root), path.relative_to(root)
        for first, code in examples:
            if any(re.match(r"int main\(", line) for line in code):
                text = f'#line {first} "{path}"\n' + "\n".join(code) + "\n"
                page = "_".join(name.with_suffix("").parts).lower()
                write(out / f"{page}_example.cpp", text)
                continue
            declared, body = split(first, code)
            for line, text in declared:
                declarations[part].append(f'#line {line} "{path}"\n' + "\n".join(text))
            body = check_schema(name, body, schema)
            if body:
                number = len(bodies[part])
                text = "\n".join(f'#line {n} "{path}"\n    {line}' for n, line in body)
                bodies[part].append(f"anything example_{number}() {{\n{text}\n    return {{}};\n}}")
    for part in PARTS:
        if not bodies[part]:
            sys.exit(f"{part}: no example was found in its headers and pages")
        context = f'#include "{part}_context.hpp"'
        # A specialisation belongs to no namespace of ours.
        outside = [d for d in declarations[part] if "\ntemplate" in d]
        inside = [d for d in declarations[part] if "\ntemplate" not in d]
        text = "\n\n".join([context, *outside, "namespace examples {", *inside, *bodies[part],
                            "}  // namespace examples"]) + "\n"
        write(out / f"{part}_examples.cpp", text)


main()
