"""As much of C++ as it takes to find statements and conditions in formatted sources."""

import re

_BLANK = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'|^[ ]*\#[^\n]*""",
    re.DOTALL | re.MULTILINE,
)
_OPEN = {"(": ")", "{": "}", "[": "]"}


def masked(text):
    """The text with comments, literals and directives blanked out, each offset unchanged."""
    return _BLANK.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)


def matching(mask, begin):
    """Where the bracket at `begin` is closed; None if it is not."""
    expected = []
    for at in range(begin, len(mask)):
        character = mask[at]
        if character in _OPEN:
            expected.append(_OPEN[character])
        elif character in ")}]":
            if not expected or expected.pop() != character:
                return None
            if not expected:
                return at
    return None


def end_of_statement(mask, begin):
    """The place of the semicolon that ends the statement at `begin`; None if a bracket ends first."""
    at = begin
    while at < len(mask):
        character = mask[at]
        if character == ";":
            return at
        if character in _OPEN:
            closed = matching(mask, at)
            if closed is None:
                return None
            at = closed
        elif character in ")}]":
            return None
        at += 1
    return None


def split_at_top(mask, begin, end, separator):
    """The places in [begin, end) where `separator` stands outside of all brackets."""
    places = []
    at = begin
    while at < end:
        character = mask[at]
        if character in _OPEN:
            closed = matching(mask, at)
            if closed is None or closed >= end:
                return places
            at = closed
        elif mask.startswith(separator, at):
            places.append(at)
        at += 1
    return places


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def squeezed(text):
    """On one line."""
    return re.sub(r"\s+", " ", text).strip()
