"""The SQL part of a query: the subset that the double knows, text to a Select.

Keywords and names in any case; "quoted" names for those with dots; 'texts' with '' for a quote.
`select distinct(a)` needs no rule: it is `select distinct a` with parentheses.
"""

import dataclasses
import re

from sls_double.errors import parameter_invalid

AGGREGATES = ("count", "sum", "min", "max", "avg", "approx_distinct")
KEYWORDS = {"select", "distinct", "from", "where", "group", "order", "by", "limit", "as", "and", "or",
            "not", "like", "in", "between", "is", "null", "asc", "desc", "having"}


@dataclasses.dataclass(frozen=True)
class Column:
    name: str


@dataclasses.dataclass(frozen=True)
class Literal:
    value: object  # Of type str, int or float, or None.


@dataclasses.dataclass(frozen=True)
class Operation:
    """`name` is an operator: + - * / = <> < <= > >= like in between is-null and or not."""

    name: str
    arguments: tuple


@dataclasses.dataclass(frozen=True)
class Aggregate:
    """`argument` None: count(*)."""

    name: str
    argument: object
    distinct: bool


@dataclasses.dataclass
class Select:
    columns: list | None = None  # Of (expression, name); None: *.
    distinct: bool = False
    where: object = None
    group_by: list = dataclasses.field(default_factory=list)
    order_by: list = dataclasses.field(default_factory=list)  # Of (expression, descending).
    limit: int = 100
    offset: int = 0


_TOKEN = re.compile(r"""\s*(?:(?P<text>'(?:[^']|'')*')|(?P<quoted>"(?:[^"]|"")*")
    |(?P<number>\d+(?:\.\d+)?)|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign><=|>=|<>|!=|[-+*/=<>(),]))""",
                    re.VERBOSE)
LIMIT_MAX = 1_000_000


def parse(text):
    """SlsError ParameterInvalid when `text` is not of the subset."""
    return _Parser(text).parse()


def _scan(text):
    tokens, position, end = [], 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if not match:
            raise parameter_invalid(f"syntax error in SQL at offset {position}: {text[position:][:40]}")
        kind, value = match.lastgroup, match[match.lastgroup]
        if kind == "word" and value.lower() in KEYWORDS:
            kind, value = "keyword", value.lower()
        elif kind in ("text", "quoted"):
            value = value[1:-1].replace(value[0] * 2, value[0])
        tokens.append((kind, value))
        position = match.end()
    return tokens


class _Parser:
    def __init__(self, text):
        self.text = text
        self.tokens = _scan(text)
        self.position = 0

    def parse(self):
        self._expect("keyword", "select")
        select = Select(distinct=self._accept("keyword", "distinct"))
        select.columns = self._columns()
        if self._accept("keyword", "from") and self._take()[1].lower() != "log":
            raise self._error("there is one table, log")
        if self._accept("keyword", "where"):
            select.where = self._or()
        if self._accept("keyword", "group"):
            self._expect("keyword", "by")
            select.group_by = self._list(self._sum)
        if self._accept("keyword", "order"):
            self._expect("keyword", "by")
            select.order_by = self._list(self._order)
        if self._accept("keyword", "limit"):
            self._limit(select)
        if self.position < len(self.tokens):
            raise self._error("this is not of the subset that is known here")
        return select

    def _columns(self):
        if self._accept("sign", "*"):
            return None
        return self._list(self._named)

    def _named(self):
        expression = self._or()
        if self._accept("keyword", "as"):
            return expression, self._take()[1].lower()
        if self._peek()[0] in ("word", "quoted"):
            return expression, self._take()[1].lower()
        return expression, expression.name.lower() if isinstance(expression, Column) else None

    def _order(self):
        expression = self._sum()
        descending = self._accept("keyword", "desc")
        if not descending:
            self._accept("keyword", "asc")
        return expression, descending

    def _limit(self, select):
        first = self._whole_number()
        if self._accept("sign", ","):
            select.offset, select.limit = first, self._whole_number()
        else:
            select.limit = first
        if select.limit > LIMIT_MAX:
            raise self._error(f"limit is at most {LIMIT_MAX}")

    def _whole_number(self):
        kind, value = self._take()
        if kind != "number" or "." in value:
            raise self._error("limit needs a whole number")
        return int(value)

    def _list(self, element):
        found = [element()]
        while self._accept("sign", ","):
            found.append(element())
        return found

    # Expressions, loosest first.

    def _or(self):
        left = self._and()
        while self._accept("keyword", "or"):
            left = Operation("or", (left, self._and()))
        return left

    def _and(self):
        left = self._not()
        while self._accept("keyword", "and"):
            left = Operation("and", (left, self._not()))
        return left

    def _not(self):
        if self._accept("keyword", "not"):
            return Operation("not", (self._not(),))
        return self._comparison()

    def _comparison(self):
        left = self._sum()
        kind, sign = self._peek()
        if kind == "sign" and sign in ("=", "<>", "!=", "<", "<=", ">", ">="):
            self._take()
            return Operation("<>" if sign == "!=" else sign, (left, self._sum()))
        negated = self._accept("keyword", "not")
        if self._accept("keyword", "like"):
            found = Operation("like", (left, self._sum()))
        elif self._accept("keyword", "in"):
            self._expect("sign", "(")
            found = Operation("in", (left, *self._list(self._sum)))
            self._expect("sign", ")")
        elif self._accept("keyword", "between"):
            low = self._sum()
            self._expect("keyword", "and")
            found = Operation("between", (left, low, self._sum()))
        elif self._accept("keyword", "is"):
            negated = self._accept("keyword", "not")
            self._expect("keyword", "null")
            found = Operation("is null", (left,))
        elif negated:
            raise self._error("like, in or between is missing")
        else:
            return left
        return Operation("not", (found,)) if negated else found

    def _sum(self):
        left = self._product()
        while self._peek() in (("sign", "+"), ("sign", "-")):
            left = Operation(self._take()[1], (left, self._product()))
        return left

    def _product(self):
        left = self._primary()
        while self._peek() in (("sign", "*"), ("sign", "/")):
            left = Operation(self._take()[1], (left, self._primary()))
        return left

    def _primary(self):
        kind, value = self._take()
        if (kind, value) == ("sign", "("):
            inner = self._or()
            self._expect("sign", ")")
            return inner
        if (kind, value) == ("sign", "-"):
            return Operation("-", (Literal(0), self._primary()))
        if kind == "number":
            return Literal(float(value) if "." in value else int(value))
        if kind == "text":
            return Literal(value)
        if (kind, value) == ("keyword", "null"):
            return Literal(None)
        if kind == "word" and self._peek() == ("sign", "("):
            return self._aggregate(value.lower())
        if kind in ("word", "quoted"):
            return Column(value)
        self.position -= 1
        raise self._error("a value is missing")

    def _aggregate(self, name):
        if name not in AGGREGATES:
            raise self._error(f"the function '{name}' is not known here")
        self._expect("sign", "(")
        distinct = self._accept("keyword", "distinct")
        argument = None
        if not (name == "count" and self._accept("sign", "*")):
            argument = self._sum()
        self._expect("sign", ")")
        return Aggregate(name, argument, distinct or name == "approx_distinct")

    # Tokens.

    def _peek(self):
        return self.tokens[self.position] if self.position < len(self.tokens) else ("end", "")

    def _take(self):
        token = self._peek()
        self.position += 1
        return token

    def _accept(self, kind, value):
        if self._peek() != (kind, value):
            return False
        self.position += 1
        return True

    def _expect(self, kind, value):
        if not self._accept(kind, value):
            raise self._error(f"'{value}' is missing")

    def _error(self, why):
        return parameter_invalid(f"syntax error in SQL near '{self._peek()[1]}': {why}: {self.text[:200]}")
