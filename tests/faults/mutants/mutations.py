"""Small mistakes that a programmer could make in a C++ source, and where.

A mutation replaces the bytes [begin, end) of a source by `planted`, which holds the original and the
mistake side by side and chooses between them at run time: NUMBER stands for the mutant's number.
"""

import re
from dataclasses import dataclass

from lexing import end_of_statement, line_of, masked, matching, split_at_top, squeezed


@dataclass(frozen=True)
class Mutation:
    path: str
    begin: int
    end: int
    line: int
    kind: str
    original: str  # on one line
    mistake: str
    planted: str

    @property
    def identity(self):
        return (self.path, self.kind, self.original, self.mistake)

    @property
    def room(self):
        """journal/src/store/x.cpp is in journal/store, journal/os/x.cpp in journal/os."""
        parts = self.path.split("/")
        if parts[1] == "src":
            return f"{parts[0]}/{parts[2]}" if len(parts) > 3 else parts[0]
        return parts[0] + ("/os" if parts[1] == "os" else "/include")


_HEAD = re.compile(r"\b(if|while)\s*\(")
_WORD_WORD = re.compile(r"^(?:[\w:]+(?:<[^;=]*?>)?[\s*&]+)+\w+\s*(?:[={;(\[]|$)")
_NO_STATEMENT = re.compile(
    r"^(return|break|continue|if|else|while|for|do|switch|case|default|using|static|const|constexpr"
    r"|auto|struct|class|enum|namespace|template|public|private|protected|friend|goto|throw|delete"
    r"|typedef|extern|try|catch|inline|virtual|explicit|alignas|asm|static_assert|\[\[)\b"
)
_STATEMENT = re.compile(r"^(\(void\)|\+\+|--|\*|::)?[A-Za-z_]")
_DECLARATION = re.compile(r"^(?:static\s+)?(?:const\s+)?[\w:]+(?:<[^=;]*>)?[\s*&]+(?:const\s+)?\w+ = ")
_CONSTANT = re.compile(r"(?<![\w.])(\d+)(?![\w.'])")
_CALL = re.compile(r"\b([A-Za-z_]\w*)\(([^()&,{}]+), ([^()&,{}]+)\)")
_PURE_CALL = re.compile(r"^(\(void\))?[\w.:>\-]+\((?!.* = )", re.DOTALL)
_SYNC = re.compile(r"^(\w[\w.>\-()]*?)\b(\w*sync\w*|punch|allocate|rename_file|unlink_file)\(")
_OPERATORS = [
    (" < ", " <= "), (" <= ", " < "), (" > ", " >= "), (" >= ", " > "), (" == ", " != "),
    (" != ", " == "), (" && ", " || "), (" || ", " && "), (" + ", " - "), (" - ", " + "),
]
_VOID_FUNCTION = re.compile(r"^(?:    )?(?:static )?(void|result<void>) [\w:]+\([^;{}]*?\)[\w ]*\{", re.M)


class _Finder:
    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.mask = masked(text)
        self.found = []

    def add(self, kind, begin, end, mistake, planted):
        original = self.text[begin:end]
        if "//" in original or "/*" in original or "\n#" in original:
            return
        self.found.append(
            Mutation(self.path, begin, end, line_of(self.text, begin), kind, squeezed(original),
                     squeezed(mistake), planted)
        )

    def variants(self, begin, end):
        """The expression with one operator, constant or order of arguments changed."""
        text, mask = self.text, self.mask
        for old, new in _OPERATORS:
            at = mask.find(old, begin, end)
            while at != -1:
                kind = ("arithmetic" if old.strip() in "+-" else
                        "logic" if old.strip() in ("&&", "||") else "comparison")
                yield kind, text[begin:at] + new + text[at + len(old):end]
                at = mask.find(old, at + 1, end)
        for constant in _CONSTANT.finditer(mask, begin, end):
            changed = str(int(constant.group(1)) + 1)
            yield "constant", text[begin:constant.start()] + changed + text[constant.end():end]
        for word, other in (("true", "false"), ("false", "true")):
            for place in re.compile(rf"\b{word}\b").finditer(mask, begin, end):
                yield "constant", text[begin:place.start()] + other + text[place.end():end]
        for call in _CALL.finditer(mask, begin, end):
            first, second = (text[slice(*call.span(group))] for group in (2, 3))
            if first.strip() == second.strip():
                continue
            swapped = f"{call.group(1)}({second}, {first})"
            yield "arguments", text[begin:call.start()] + swapped + text[call.end():end]

    def condition(self, begin, end):
        """The part of a condition that is asked: after its initialiser, if it has one."""
        places = split_at_top(self.mask, begin, end, ";")
        if places:
            self.initialiser(begin, places[0])
            begin = places[0] + 1
        elif re.search(r"^\s*(const )?(auto|[\w:<>]+)[\s*&]+\w+ = ", self.mask[begin:end]):
            return
        asked = self.text[begin:end]
        if not asked.strip():
            return
        orig = f"static_cast<bool>({asked.strip()})"

        def plant(kind, mistake):
            one = squeezed(mistake)
            self.add(kind, begin, end, mistake,
                     f" pawl_mutant(NUMBER) ? static_cast<bool>({one}) : {orig}")

        plant("negation", f"!({asked.strip()})")
        plant("check", "false")
        for kind, mistake in self.variants(begin, end):
            plant(kind, mistake)

    def initialiser(self, begin, end):
        """`auto done = call()` in a condition: the call that is left out, if nothing is returned."""
        equals = self.mask.find(" = ", begin, end)
        if equals == -1:
            return
        call = self.text[equals + 3:end]
        if _SYNC.match(call):
            self.add("sync", equals + 3, end, "result<void>{}",
                     f"(pawl_mutant(NUMBER) ? result<void>{{}} : {call})")

    def value(self, begin, end):
        """What is returned or assigned."""
        if self.mask[begin:end].lstrip().startswith("{") or "[" in self.mask[begin:begin + 1]:
            return
        orig = self.text[begin:end]
        for kind, mistake in self.variants(begin, end):
            self.add(kind, begin, end, mistake,
                     f"(pawl_mutant(NUMBER) ? ({squeezed(mistake)}) : ({orig}))")

    def statement(self, begin, end):
        """An expression that stands alone, with its semicolon."""
        orig = self.text[begin:end]
        self.add("deletion", begin, end, "", f"{{ if (!pawl_mutant(NUMBER)) {orig} }}")
        for kind, mistake in self.variants(begin, end):
            self.add(kind, begin, end, mistake,
                     f"{{ if (pawl_mutant(NUMBER)) {{ {squeezed(mistake)} }} else {{ {orig} }} }}")

    def pair(self, first, second):
        """Two calls in a row, for what they do and not for what they return."""
        one = self.text[slice(*first)]
        two = self.text[slice(*second)]
        if one == two or not _PURE_CALL.match(one) or not _PURE_CALL.match(two):
            return
        begin, end = first[0], second[1]
        self.add("order", begin, end, f"{two} {one}",
                 f"{{ if (pawl_mutant(NUMBER)) {{ {squeezed(two)} {squeezed(one)} }} else "
                 f"{{ {self.text[begin:end]} }} }}")

    def run(self):
        self.heads()
        self.lines()
        for function in _VOID_FUNCTION.finditer(self.mask):
            result = "return;" if function.group(1) == "void" else "return {};"
            at = function.end()
            self.add("early return", at, at, result, f" if (pawl_mutant(NUMBER)) {{ {result} }}")
        return self.found

    def heads(self):
        for head in _HEAD.finditer(self.mask):
            if self.mask[:head.start()].rstrip().endswith("constexpr"):
                continue
            begin = head.end()
            end = matching(self.mask, begin - 1)
            if end is not None and "constexpr" not in self.mask[head.start():begin]:
                self.condition(begin, end)

    def lines(self):
        """Statements: in formatted sources each begins a line."""
        before = None  # the statement that ends right before this one
        for line in re.finditer(r"^[ ]{4,}(?=\S)", self.mask, re.M):
            begin = line.end()
            if not self.begins_statement(begin) or not self.inside_function(begin):
                continue
            end = end_of_statement(self.mask, begin)
            if end is None:
                continue
            code = self.mask[begin:end]
            if code.startswith("return "):
                self.value(begin + len("return "), end)
                continue
            declared = _DECLARATION.match(code)
            if declared and not code.startswith(("return", "using", "auto [")):
                if "constexpr" not in code[:declared.end()]:
                    self.value(begin + declared.end(), end)
                continue
            if (not _STATEMENT.match(code) or _NO_STATEMENT.match(code) or _WORD_WORD.match(code)
                    or "{" in code and "}" not in code):
                continue
            self.statement(begin, end + 1)
            if before is not None and not self.mask[before[1]:begin].strip():
                self.pair(before, (begin, end + 1))
            body = self.mask[:begin].rstrip()[-1:] in ";{}"
            before = (begin, end + 1) if body else None

    def begins_statement(self, begin):
        previous = self.mask[:begin].rstrip()
        if previous.endswith("else"):
            return True
        if previous.endswith(")"):
            return self.closes_head(len(previous) - 1)
        return previous.endswith((";", "{", "}")) or previous.endswith(("[[unlikely]]", "[[likely]]"))

    def inside_function(self, begin):
        """Whether the innermost brace around the place is not that of a class or a namespace."""
        depth = 0
        for at in range(begin - 1, -1, -1):
            depth += {"}": 1, "{": -1}.get(self.mask[at], 0)
            if depth < 0:
                head = re.split(r"[;{}]", self.mask[:at])[-1]
                return not re.search(r"\b(class|struct|union|enum|namespace)\b|extern", head)
        return False

    def closes_head(self, closing):
        """Whether the bracket that closes there opened after if, while or for."""
        depth = 0
        for at in range(closing, -1, -1):
            depth += {")": 1, "(": -1}.get(self.mask[at], 0)
            if depth == 0:
                return re.search(r"\b(if|while|for)\s*$", self.mask[:at]) is not None
        return False


def mutations_of(path, text):
    """Every mutation of a source, in the order of their places."""
    return sorted(_Finder(path, text).run(), key=lambda one: (one.begin, one.end, one.kind, one.mistake))
