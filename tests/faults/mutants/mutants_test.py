#!/usr/bin/env python3
"""The generator of mutants, on sources so small that every mistake can be listed."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from judging import Results  # noqa: E402
from lexing import end_of_statement, masked, matching  # noqa: E402
from mutations import Mutation, mutations_of  # noqa: E402
from planting import includer_of, weave, without_overlaps  # noqa: E402

PROGRAM = """\
#include <cstdio>
#include <cstdlib>

int difference(int a, int b) {
    return a - b;
}

int smaller(int a, int b) {
    // A comment with a < b and "quotes" in it.
    if (a < b && a != 0)
        return a;
    return b * 10;
}

void tell(int number) {
    std::printf("< %d\\n", number);
}

int main() {
    int sum = 0;
    for (int i = 0; i != 3; ++i)
        sum += difference(10, i);
    tell(sum);
    tell(smaller(1, 2));
    tell(smaller(4, 4));
    tell(smaller(0, sum));
    std::puts("done");
    std::fflush(stdout);
}
"""

EXPECTED = "< 27\n< 1\n< 40\n< 270\ndone\n"


def mistakes(text, kind):
    return [one.mistake for one in mutations_of("journal/src/store/x.cpp", text) if one.kind == kind]


def in_function(body):
    return "void f() {\n    " + body + "\n}\n"


class Lexing(unittest.TestCase):
    def test_comments_and_literals_are_blanked_in_their_places(self):
        text = "a = \"b(\"; // c\n#define d (\ne = 1'000; f = ')'; /* ( */ g"
        mask = masked(text)
        self.assertEqual(len(mask), len(text))
        self.assertEqual(mask.split(), ["a", "=", ";", "e", "=", "1'000;", "f", "=", ";", "g"])
        self.assertEqual(mask.count("\n"), 2)

    def test_brackets_and_statements_end_where_they_do(self):
        text = "f(a, {b; [c]}); g"
        self.assertEqual(matching(text, 1), 13)
        self.assertEqual(end_of_statement(text, 0), 14)
        self.assertIsNone(end_of_statement(text, 16))
        self.assertIsNone(matching("(]", 0))


class Kinds(unittest.TestCase):
    def test_conditions(self):
        text = in_function("if (a < b)\n        g();")
        self.assertEqual(mistakes(text, "comparison"), ["a <= b"])
        self.assertEqual(mistakes(text, "negation"), ["!(a < b)"])
        self.assertEqual(mistakes(text, "check"), ["false"])
        self.assertEqual(mistakes(in_function("while (a && b || c)\n        g();"), "logic"),
                         ["a && b && c", "a || b || c"])

    def test_what_a_condition_declares_is_left_alone(self):
        text = in_function("if (auto done = file.sync(); !done)\n        g();")
        self.assertEqual(mistakes(text, "negation"), ["!(!done)"])
        self.assertEqual(mistakes(text, "sync"), ["result<void>{}"])
        self.assertEqual(mistakes(in_function("if (const auto* p = h())\n        g();"), "negation"), [])
        self.assertEqual(mistakes(in_function("if constexpr (a < b)\n        g();"), "check"), [])

    def test_statements(self):
        text = in_function("g(a, b);\n    h.i(1);\n    x = y + 7;")
        self.assertEqual(mistakes(text, "deletion"), ["", "", ""])
        self.assertEqual(mistakes(text, "arguments"), ["g(b, a);"])
        self.assertEqual(mistakes(text, "order"), ["h.i(1); g(a, b);"])
        self.assertEqual(mistakes(text, "arithmetic"), ["x = y - 7;"])
        self.assertEqual(mistakes(text, "constant"), ["h.i(2);", "x = y + 8;"])
        self.assertEqual(mistakes(text, "early return"), ["return;"])

    def test_values_that_are_returned_or_declared(self):
        self.assertEqual(mistakes(in_function("return a >= 1;"), "comparison"), ["a > 1"])
        self.assertEqual(mistakes(in_function("const int x = a + b;"), "arithmetic"), ["a - b"])
        self.assertEqual(mistakes(in_function("return true;"), "constant"), ["false"])
        self.assertEqual(mistakes(in_function("constexpr int x = 3;"), "constant"), [])

    def test_declarations_are_no_statements(self):
        text = "class c {\n    int x = 0;\n    void f(int a);\n    c(int a);\n};\n"
        self.assertEqual(mutations_of("journal/src/store/x.hpp", text), [])
        self.assertEqual(mistakes(in_function("std::vector<int> v(3);"), "deletion"), [])
        self.assertEqual(mistakes(in_function("auto v = g(1, 2);"), "deletion"), [])

    def test_rooms(self):
        for path, room in (("journal/src/store/x.cpp", "journal/store"),
                           ("journal/os/x.cpp", "journal/os"),
                           ("replay/include/pawl/replay/x.hpp", "replay/include")):
            self.assertEqual(Mutation(path, 0, 0, 1, "", "", "", "").room, room)


class Planting(unittest.TestCase):
    def test_overlaps_are_left_out(self):
        some = [Mutation("p", *place, 1, "", "", "", "") for place in ((0, 5), (5, 9), (6, 8), (10, 12))]
        self.assertEqual(without_overlaps(some, 9), [some[0], some[2], some[3]])
        self.assertEqual(without_overlaps(some, 1), [some[0]])

    def test_a_header_is_compiled_through_a_source_that_includes_it(self):
        texts = {"journal/src/store/a.hpp": "", "journal/src/read/b.hpp": '#include "store/a.hpp"\n',
                 "journal/src/read/b.cpp": '#include "read/b.hpp"\n'}
        self.assertEqual(includer_of("journal/src/store/a.hpp", texts), "journal/src/read/b.cpp")
        self.assertIsNone(includer_of("journal/src/store/c.hpp", texts))

    def test_each_mutant_changes_the_program_and_only_when_it_is_awake(self):
        found = mutations_of("journal/src/store/x.cpp", PROGRAM)
        # Formats and numbers cannot change places; the real sources are compiled to find that out.
        found = [one for one in found if one.original and "printf(number" not in one.mistake]
        numbered = []
        left = found
        while left:  # those that overlap go into a program of their own
            some = without_overlaps(left, len(left))
            numbered.append(list(enumerate(some, start=1)))
            left = [one for one in left if one not in some]
        outputs = {}
        with tempfile.TemporaryDirectory() as home:
            for chosen in numbered:
                woven = weave(PROGRAM, chosen)
                self.assertEqual(len(woven.splitlines()), len(PROGRAM.splitlines()))
                source = pathlib.Path(home) / "x.cpp"
                source.write_text(woven)
                subprocess.run(["c++", "-std=c++23", "-w", "-include", HERE / "mutant.hpp", source,
                                "-o", source.with_suffix("")], check=True)
                for number, one in [(0, None), *chosen]:
                    try:
                        done = subprocess.run(
                            [source.with_suffix("")], env={"PAWL_MUTANT": str(number)},
                            stdout=subprocess.PIPE, text=True, timeout=1)
                        outputs[one] = done.stdout
                    except subprocess.TimeoutExpired:
                        outputs[one] = "hangs"
        self.assertEqual(outputs.pop(None), EXPECTED)
        same = sorted((one.original, one.mistake) for one, output in outputs.items()
                      if output == EXPECTED)
        # The end of main flushes as well, and neither 2 nor 3 is less than 1.
        self.assertEqual(same, [
            ("std::fflush(stdout);", ""),
            ('std::puts("done"); std::fflush(stdout);', 'std::fflush(stdout); std::puts("done");'),
            ("tell(smaller(1, 2));", "tell(smaller(1, 3));"),
            ("tell(smaller(4, 4));", "tell(smaller(5, 4));")])
        self.assertGreater(len(outputs), 20)


class Resuming(unittest.TestCase):
    def test_what_was_caught_stays_caught_and_the_rest_is_tried_again_with_other_tests(self):
        caught, survivor = (Mutation("p", at, at, 1, "k", "o", str(at), "") for at in (1, 2))
        with tempfile.TemporaryDirectory() as home:
            path = pathlib.Path(home) / "results"
            results = Results(path, "tests 1")
            results.add(caught, "source", {"verdict": "caught"})
            results.add(survivor, "source", {"verdict": "survived"})
            again = Results(path, "tests 1")
            self.assertEqual(again.find(survivor, "source")["verdict"], "survived")
            self.assertIsNone(again.find(caught, "other source"))
            changed = Results(path, "tests 2")
            self.assertEqual(changed.find(caught, "source")["verdict"], "caught")
            self.assertIsNone(changed.find(survivor, "source"))


if __name__ == "__main__":
    unittest.main()
