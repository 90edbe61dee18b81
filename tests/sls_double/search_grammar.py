"""The search part of a query: text to a tree.

Binding, tightest first: `:`, quotes, parentheses, and, not, or; words side by side mean and. So
`not a and b` is not (a and b), while in `a and not b and c` the not takes b alone.
"""

import dataclasses
import re

from sls_double.errors import parameter_invalid

TERMS_MAX = 30


@dataclasses.dataclass(frozen=True)
class All:
    """`*`"""


@dataclasses.dataclass(frozen=True)
class Term:
    """`word`, `field: word`, `field: "some words"`; field None: any."""

    field: str | None
    text: str
    quoted: bool = False


@dataclasses.dataclass(frozen=True)
class Exists:
    """`field: *`"""

    field: str


@dataclasses.dataclass(frozen=True)
class Range:
    """`field > 3`, `field in [1 5)`; a bound that is None is open."""

    field: str
    low: float | None
    high: float | None
    low_included: bool = True
    high_included: bool = True


@dataclasses.dataclass(frozen=True)
class And:
    parts: tuple


@dataclasses.dataclass(frozen=True)
class Or:
    parts: tuple


@dataclasses.dataclass(frozen=True)
class Not:
    part: object


# One token: white space, then a quoted text, a sign, or a word. A tag's name has a colon inside.
_TOKEN = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|(>=|<=|[():<>=\[\]])|(__tag__:[^\s"():<>=\[\]]+'
                    r'|[^\s"():<>=\[\]]+))', re.DOTALL)
_OPERATORS = {">": (False, 0), ">=": (True, 0), "<": (False, 1), "<=": (True, 1), "=": (True, 2)}


def parse(text):
    """The tree of a search; SlsError ParameterInvalid when it is none."""
    return _Parser(_scan(text), text).parse()


def _scan(text):
    """Pairs of (kind, text); the kinds are word, quoted and sign."""
    tokens, position, end = [], 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if not match:
            raise parameter_invalid(f"syntax error in the query at offset {position}: {text[position:][:40]}")
        quoted, sign, word = match.groups()
        if quoted is not None:
            tokens.append(("quoted", re.sub(r"\\(.)", r"\1", quoted)))
        else:
            tokens.append(("sign", sign) if sign else ("word", word))
        position = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens, text):
        self.tokens = tokens
        self.text = text
        self.position = 0
        self.terms = 0

    def parse(self):
        if not self.tokens:
            return All()
        tree = self._or()
        if self.position < len(self.tokens):
            raise self._error()
        return tree

    def _peek(self, ahead=0):
        position = self.position + ahead
        return self.tokens[position] if position < len(self.tokens) else ("end", "")

    def _is_operator(self, name):
        """A word that is an operator, unless a colon makes a field of it."""
        kind, text = self._peek()
        return kind == "word" and text.lower() == name and self._peek(1) != ("sign", ":")

    def _take(self):
        token = self._peek()
        self.position += 1
        return token

    def _error(self):
        return parameter_invalid(f"syntax error in the query near '{self._peek()[1]}': {self.text[:200]}")

    def _or(self):
        parts = [self._not()]
        while self._is_operator("or"):
            self._take()
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _not(self):
        if self._is_operator("not"):
            self._take()
            parts = [Not(self._and())]
        else:
            parts = [self._and()]
        while self._is_operator("not"):
            self._take()
            parts.append(Not(self._and()))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _and(self):
        parts = [self._unit()]
        while True:
            if self._is_operator("and"):
                self._take()
                if self._is_operator("not"):
                    self._take()
                    parts.append(Not(self._unit()))
                    continue
            elif self._peek() == ("end", "") or self._peek() == ("sign", ")") \
                    or self._is_operator("or") or self._is_operator("not"):
                return parts[0] if len(parts) == 1 else And(tuple(parts))
            parts.append(self._unit())

    def _unit(self):
        kind, text = self._take()
        if (kind, text) == ("sign", "("):
            tree = self._or()
            if self._take() != ("sign", ")"):
                self.position -= 1
                raise self._error()
            return tree
        self.position -= 1
        if kind not in ("word", "quoted") or any(map(self._is_operator, ("and", "or", "not"))):
            raise self._error()
        self._take()
        self.terms += 1
        if self.terms > TERMS_MAX:
            raise parameter_invalid(f"the query has more than {TERMS_MAX} terms")
        return self._after_word(kind, text)

    def _after_word(self, kind, text):
        sign = self._peek()
        if sign == ("sign", ":"):
            self._take()
            return self._value(text)
        if sign[0] == "sign" and sign[1] in _OPERATORS:
            self._take()
            included, side = _OPERATORS[sign[1]]
            number = self._number()
            return Range(text, number if side in (0, 2) else None,
                         number if side in (1, 2) else None, included, included)
        if self._is_operator("in") and self._peek(1) in (("sign", "["), ("sign", "(")):
            self._take()
            return self._range(text)
        return All() if kind == "word" and text == "*" else Term(None, text, kind == "quoted")

    def _value(self, field):
        kind, text = self._take()
        if kind not in ("word", "quoted"):
            self.position -= 1
            raise self._error()
        if kind == "word" and text == "*":
            return Exists(field)
        return Term(field, text, kind == "quoted")

    def _range(self, field):
        low_included = self._take()[1] == "["
        low, high = self._number(), self._number()
        close = self._take()
        if close not in (("sign", "]"), ("sign", ")")):
            self.position -= 1
            raise self._error()
        return Range(field, low, high, low_included, close[1] == "]")

    def _number(self):
        kind, text = self._take()
        try:
            if kind == "sign":
                raise ValueError
            return float(text.rstrip(","))
        except ValueError:
            self.position -= 1
            raise self._error() from None
