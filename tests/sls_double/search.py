"""A search over rows: first which rows the postings leave over, then exactly, row by row."""

import dataclasses
import fnmatch

from sls_double.errors import parameter_invalid
from sls_double.search_grammar import All, And, Exists, Not, Or, Range, Term


@dataclasses.dataclass
class Candidates:
    """A superset of the matching rows. `rows` None: every row. `exact`: it is the set itself."""

    rows: set | None
    exact: bool

    def __and__(self, other):
        exact = self.exact and other.exact
        if self.rows is None or other.rows is None:
            return Candidates(other.rows if self.rows is None else self.rows, exact)
        return Candidates(self.rows & other.rows, exact)

    def __or__(self, other):
        if self.rows is None or other.rows is None:
            return Candidates(None, any(each.rows is None and each.exact for each in (self, other)))
        return Candidates(self.rows | other.rows, self.exact and other.exact)


_NONE = Candidates(set(), True)
_EVERY = Candidates(None, True)
_UNKNOWN = Candidates(None, False)


class Search:
    """A tree bound to an index. `strict`: SlsError when it asks for a field that the index does not
    hold; else such a field has no value in any row."""

    def __init__(self, tree, index, strict=True):
        self.tree = tree
        self.index = index
        if strict:
            self._check(tree)

    def _check(self, node):
        if isinstance(node, (And, Or)):
            for part in node.parts:
                self._check(part)
        elif isinstance(node, Not):
            self._check(node.part)
        elif isinstance(node, (Term, Exists, Range)) and node.field is not None:
            field = self.index.find(node.field)
            if field is None:
                raise parameter_invalid(
                    f"key ({node.field}) is not config as key value config, if symbol : is in "
                    'your log, please wrap : with quotation mark "')
            if isinstance(node, Range) and field.type not in ("long", "double"):
                raise parameter_invalid(f"key ({node.field}) is not long or double: no range")

    def candidates(self, postings):
        """`postings(field, path, token)` is the set of ids of the rows that hold a term."""
        return self._candidates(self.tree, postings)

    def _candidates(self, node, postings):
        if isinstance(node, All):
            return _EVERY
        if isinstance(node, And):
            found = _EVERY
            for part in node.parts:
                found = found & self._candidates(part, postings)
            return found
        if isinstance(node, Or):
            found = _NONE
            for part in node.parts:
                found = found | self._candidates(part, postings)
            return found
        if isinstance(node, Term):
            return self._candidates_of_term(node, postings)
        return _UNKNOWN

    def _candidates_of_term(self, node, postings):
        if is_pattern(node) or node.text == "":
            return _UNKNOWN
        found = _NONE
        for key, path, split in self._places(node):
            if split is None:
                return _UNKNOWN
            tokens = split.of(node.text)
            here = _EVERY if tokens else _NONE
            for token in tokens:
                here = here & Candidates(postings(key, path, token), True)
            found = found | here
        return found

    def _places(self, node):
        """Where a term is looked for: (field, path, tokens), tokens None when there are no postings."""
        if node.field is None and self.index.line:
            return [("", "", self.index.line_tokens)]
        fields = self.index.texts() if node.field is None else [self.index.find(node.field)]
        return [(field.key, field.path, field.tokens if field.type == "text" else None)
                for field in fields if field]

    def matches(self, row):
        """Whether a row, a dict of texts, is found."""
        return self._matches(self.tree, row)

    def _matches(self, node, row):
        if isinstance(node, All):
            return True
        if isinstance(node, And):
            return all(self._matches(part, row) for part in node.parts)
        if isinstance(node, Or):
            return any(self._matches(part, row) for part in node.parts)
        if isinstance(node, Not):
            return not self._matches(node.part, row)
        if isinstance(node, Term) and node.field is None:
            return self._matches_anywhere(node, row)
        field = self.index.find(node.field)
        value = field.value(row) if field else None
        if value is None:
            return False
        if isinstance(node, Exists):
            return True
        if isinstance(node, Range):
            return _in_range(node, value)
        return _matches_value(node, value, field)

    def _matches_anywhere(self, node, row):
        if self.index.line:
            return any(_has_tokens(node, self.index.line_tokens, row[key])
                       for key in self.index.line_keys(row))
        return any(field.key in row and _has_tokens(node, field.tokens, row[field.key])
                   for field in self.index.texts())


def is_pattern(node):
    return not node.quoted and any(sign in node.text for sign in "*?")


def _matches_value(node, value, field):
    if field.type in ("long", "double"):
        return number_of(value) is not None and number_of(value) == number_of(node.text)
    if node.text == "":
        return value == ""
    return _has_tokens(node, field.tokens, value)


def _has_tokens(node, tokens, value):
    there = tokens.of(value)
    if is_pattern(node):
        return bool(fnmatch.filter(there, tokens.fold(node.text).replace("[", "[[]")))
    wanted = tokens.of(node.text)
    return bool(wanted) and all(token in there for token in wanted)


def _in_range(node, value):
    number = number_of(value)
    if number is None:
        return False
    above = node.low is None or number > node.low or node.low_included and number == node.low
    below = node.high is None or number < node.high or node.high_included and number == node.high
    return above and below


def number_of(text):
    try:
        return float(text)
    except (TypeError, ValueError):
        return None
