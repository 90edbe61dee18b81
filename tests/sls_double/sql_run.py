"""Runs a Select over rows. Values are texts or numbers; a text that stands where a number is
needed is cast, as is a field that the index calls long or double; None is SQL's null."""

import functools
import re

from sls_double.errors import parameter_invalid
from sls_double.search import number_of
from sls_double.sql_grammar import Aggregate, Column, Literal, Operation


def run(select, rows, index):
    """`rows` yields dicts of texts; returns the answer's (column names, rows of texts)."""
    query = _Query(select, index)
    found = list(query.answer(rows))
    found = found[select.offset:select.offset + select.limit]
    return query.names, [dict(zip(query.names, map(_text, values))) for values in found]


def _text(value):
    """Null is shown as the word; a sum of floats as SLS shows doubles, 12.0."""
    return "null" if value is None else str(value)


class _Query:
    def __init__(self, select, index):
        self.select = select
        self.index = index
        columns = select.columns or [(Column(name), name.lower()) for name in _analysed(index)]
        self.expressions = [expression for expression, _ in columns]
        # A column without a name of its own is _col0, _col1, ... by its place.
        self.names = [name or f"_col{place}" for place, (_, name) in enumerate(columns)]
        aliases = dict(zip(self.names, self.expressions))
        self.group_by = [self._alias(each, aliases) for each in select.group_by]
        self.order_by = [(self._alias(each, aliases), descending) for each, descending in select.order_by]
        self.fields = {}
        for expression in (*self.expressions, *self.group_by, *(each for each, _ in self.order_by),
                           *([select.where] if select.where else [])):
            self._bind(expression)
        self.aggregates = list(dict.fromkeys(
            found for expression in (*self.expressions, *(each for each, _ in self.order_by))
            for found in _aggregates_in(expression)))
        if self.aggregates or self.group_by:
            self._check_grouped()

    def _alias(self, expression, aliases):
        if isinstance(expression, Column) and not self._find(expression.name):
            return aliases.get(expression.name.lower(), expression)
        return expression

    def _find(self, name):
        """Names are compared in any case; a name of the very spelling goes first."""
        field = self.index.find(name)
        if field is None:
            same = [key for key in self.index.keys if key.lower() == name.lower()]
            field = self.index.find(same[0]) if same else None
        return field

    def _bind(self, expression):
        if isinstance(expression, Column):
            if expression.name.lower() == "__time__":
                return
            field = self._find(expression.name)
            if field is None or not field.doc_value:
                raise parameter_invalid(
                    f"Column '{expression.name}' cannot be resolved;please add the column in the "
                    "index attribute")
            self.fields[expression.name] = field
        elif isinstance(expression, Operation):
            for argument in expression.arguments:
                self._bind(argument)
        elif isinstance(expression, Aggregate) and expression.argument is not None:
            self._bind(expression.argument)

    def _check_grouped(self):
        grouped = {each.name.lower() for each in self.group_by if isinstance(each, Column)}
        for expression in self.expressions:
            if isinstance(expression, Column) and expression.name.lower() not in grouped:
                raise parameter_invalid(f"'{expression.name}' must be an aggregate expression or "
                                        "appear in GROUP BY clause")

    def answer(self, rows):
        if self.select.where is not None:
            rows = (row for row in rows if self._value(self.select.where, row) is True)
        if self.aggregates or self.group_by:
            units = self._groups(rows)
        else:
            units = ((row, {}) for row in rows)
        if not self.order_by and not self.select.distinct:
            return self._first(units)
        units = list(units)
        for expression, descending in reversed(self.order_by):
            units.sort(key=lambda unit: _sort_key(self._value(expression, *unit)), reverse=descending)
        values = [self._values(unit) for unit in units]
        return list(dict.fromkeys(values)) if self.select.distinct else values

    def _first(self, units):
        """Reads no more rows than are asked for."""
        found = []
        for unit in units:
            if len(found) >= self.select.offset + self.select.limit:
                break
            found.append(self._values(unit))
        return found

    def _values(self, unit):
        return tuple(self._value(expression, *unit) for expression in self.expressions)

    def _groups(self, rows):
        """Pairs of (first row of the group, {aggregate: result})."""
        groups = {} if self.group_by else {(): ({}, [_Sum(each) for each in self.aggregates])}
        for row in rows:
            key = tuple(self._value(expression, row) for expression in self.group_by)
            if key not in groups:
                groups[key] = (row, [_Sum(each) for each in self.aggregates])
            for sum_ in groups[key][1]:
                argument = sum_.aggregate.argument
                sum_.add(1 if argument is None else self._value(argument, row))
        return [(row, {sum_.aggregate: sum_.result() for sum_ in sums}) for row, sums in groups.values()]

    def _value(self, expression, row, results=None):
        if isinstance(expression, Literal):
            return expression.value
        if isinstance(expression, Column):
            return self._column(expression.name, row)
        if isinstance(expression, Aggregate):
            return results[expression]
        arguments = [self._value(each, row, results) for each in expression.arguments]
        return _apply(expression.name, arguments)

    def _column(self, name, row):
        if name.lower() == "__time__":
            return int(row["__time__"]) if row else None
        field = self.fields[name]
        text = field.value(row)
        if text is None:
            return None
        if field.type in ("long", "double"):
            number = number_of(text)
            return int(number) if field.type == "long" and number is not None else number
        # SQL sees at most max_text_len bytes of a value.
        return text if len(text) * 4 <= self.index.max_text_len else (
            text.encode()[:self.index.max_text_len].decode(errors="ignore"))


def _analysed(index):
    return ["__time__", *(name for name, key in index.keys.items() if key.get("doc_value"))]


def _aggregates_in(expression):
    if isinstance(expression, Aggregate):
        yield expression
    elif isinstance(expression, Operation):
        for argument in expression.arguments:
            yield from _aggregates_in(argument)


class _Sum:
    """One aggregate over the rows of one group; nulls do not count."""

    def __init__(self, aggregate):
        self.aggregate = aggregate
        self.values = set() if aggregate.distinct else []

    def add(self, value):
        if value is None:
            return
        if self.aggregate.distinct:
            self.values.add(value)
        else:
            self.values.append(value)

    def result(self):
        name = self.aggregate.name
        if name in ("count", "approx_distinct"):
            return len(self.values)
        if not self.values:
            return None
        if name in ("min", "max"):
            return (min if name == "min" else max)(self.values)
        numbers = [_number(value) for value in self.values]
        return sum(numbers) if name == "sum" else float(sum(numbers)) / len(numbers)


def _number(value):
    """A text becomes a double, so that a sum of texts reads 12.0."""
    if isinstance(value, str):
        number = number_of(value)
        if number is None:
            raise parameter_invalid(f"Cannot cast '{value[:40]}' to DOUBLE")
        return number
    return value


def _sort_key(value):
    return (value is None, isinstance(value, str), value if value is not None else 0)


def _apply(name, arguments):
    if name == "and":
        return False if False in arguments else None if None in arguments else True
    if name == "or":
        return True if True in arguments else None if None in arguments else False
    if name == "is null":
        return arguments[0] is None
    if None in arguments:
        return None
    if name == "not":
        return not arguments[0]
    if name == "like":
        return bool(_like(arguments[1]).fullmatch(str(arguments[0])))
    if name in "+-*/":
        return _arithmetic(name, *map(_number, arguments))
    if name == "in":
        return any(_compare("=", arguments[0], each) for each in arguments[1:])
    if name == "between":
        return _compare(">=", *arguments[:2]) and _compare("<=", arguments[0], arguments[2])
    return _compare(name, *arguments)


def _arithmetic(name, left, right):
    if name == "/":
        if right == 0:
            return None
        return left // right if isinstance(left, int) and isinstance(right, int) else left / right
    return left + right if name == "+" else left - right if name == "-" else left * right


def _compare(name, left, right):
    """Texts compare as texts, anything else as numbers."""
    if isinstance(left, str) != isinstance(right, str):
        left, right = number_of(left), number_of(right)
        if left is None or right is None:
            return name == "<>"
    return {"=": left == right, "<>": left != right, "<": left < right, "<=": left <= right,
            ">": left > right, ">=": left >= right}[name]


@functools.lru_cache(maxsize=100)
def _like(pattern):
    """% is any text, _ any one character."""
    parts = {"%": ".*", "_": "."}
    return re.compile("".join(parts.get(sign) or re.escape(sign) for sign in pattern), re.DOTALL)
