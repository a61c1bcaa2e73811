"""Where execution can go from a line, read in the bytecode of one code object of CPython 3.12 or 3.13.

Places in bytecode are offsets in bytes. An *arc* is a pair of lines as coverage.py has them: a negative number is the
entry or exit of the code object that starts there.
"""

from __future__ import annotations

import dis
import re
import sys
from collections.abc import Collection, Iterable, Iterator
from types import CodeType
from typing import NamedTuple

from testlens_agent.statements import Statements

Arc = tuple[int, int]

# Where else one can come from or get to, beside an instruction.
_EXIT, _ENTRY, _EXCEPTION = -1, -2, -3


def _numbers(*names: str) -> frozenset[int]:
    return frozenset(dis.opmap[name] for name in names if name in dis.opmap)


_CACHE = dis.opmap.get("CACHE", 0)
_EXTENDED_ARG = dis.opmap["EXTENDED_ARG"]
_RESUME = dis.opmap.get("RESUME", -1)
_FOR_ITER = dis.opmap["FOR_ITER"]
_CLEANUP_THROW = dis.opmap.get("CLEANUP_THROW", -1)
_RERAISE = dis.opmap["RERAISE"]
_RAISE = dis.opmap["RAISE_VARARGS"]
_RETURNS = _numbers("RETURN_VALUE", "RETURN_CONST")
# What waits in a SEND comes back to it, so that in the end it jumps.
_ALWAYS_JUMPS = _numbers("JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT", "SEND")
_JUMPS = frozenset(dis.hasjrel)
_BACKWARD = frozenset(op for op in _JUMPS if "BACKWARD" in dis.opname[op])
_NOT_STRAIGHT_ON = re.compile(
    b"[" + b"".join(re.escape(bytes([op])) for op in sorted(_JUMPS | _RETURNS | {_RERAISE, _RAISE}) if op < 256) + b"]"
)
_EXPRESSIONS = frozenset({"<lambda>", "<genexpr>", "<listcomp>", "<setcomp>", "<dictcomp>"})
# A loop that ends goes on behind what takes its iterator off the stack: END_FOR, and POP_TOP since 3.13.
_BEHIND_LOOP = 1 if sys.version_info < (3, 13) else 2


class Bytecode(NamedTuple):
    """What Python tells of a code object that matters here.

    `lines` has pieces of the bytecode, as offsets of their begin and end in bytes, with the line of each.
    """

    is_expression: bool
    first_line: int
    instructions: bytes
    exceptions: bytes
    lines: Iterable[tuple[int, int, int | None]]

    @classmethod
    def of(cls, code: CodeType) -> Bytecode:
        """That of a code object."""
        is_expression = code.co_name in _EXPRESSIONS
        return cls(is_expression, code.co_firstlineno, code.co_code, code.co_exceptiontable, code.co_lines())


class Flow:
    """The ways through one code object: which lines lead to a place, and to which one it leads.

    Inside, places are counted in units of bytecode, two bytes each. What is kept is made of numbers and tuples of such
    where it can be: through all else Python looks again and again for garbage.
    """

    def __init__(self, code: Bytecode) -> None:
        self._end = -code.first_line
        self._is_expression = code.is_expression
        self._operations, self._arguments = code.instructions[::2], code.instructions[1::2]
        self._lines = [line for start, end, line in code.lines for _ in range((end - start) // 2)]
        self._handlers = list(_handlers(code.exceptions))
        self._handled = {target for _, _, target in self._handlers}
        self._start = self._operations.find(_RESUME)  # what comes before that belongs to the call
        # Where it goes from those units that do not simply lead to the next one, and from which of them to others.
        self._ways: dict[int, tuple[int, ...]] = {}
        self._jumps_to: dict[int, list[int]] = {}
        self._before: dict[int, tuple[int, ...]] = {}
        for found in _NOT_STRAIGHT_ON.finditer(self._operations, self._start):
            unit = found.start()
            self._ways[unit] = ways = self._ways_of(unit)
            for way in ways:
                self._jumps_to.setdefault(way, []).append(unit)

    def line(self, offset: int) -> int | None:
        """The line of an instruction, None for one that the compiler has added."""
        return self._lines[offset // 2]

    def to_place(self, place: int, statements: Statements | None) -> tuple[Arc, ...]:
        """The arcs of which one must have run where a line began to run at this place; none where that is not certain.

        `statements` are those of the source, None where they are not known.
        """
        line, before = self._line_at(place // 2), self._lines_before(place // 2)
        if _ENTRY in before:
            return ((self._end, line),)
        return tuple((source, line) for source in before) if self._is_one(before, line, statements) else ()

    def from_line(self, line: int, offset: int, statements: Statements | None) -> Arc | None:
        """The arc that follows where execution of `line` came to `offset`, unless an exception comes in between.

        None where it is not certain, or where the place that it leads to knows by itself.
        """
        leads_to = self._leads_to(line, offset // 2)
        if leads_to is None or self._shows_itself(leads_to, line, statements):
            return None
        return (line, self._line_at(leads_to))

    def at_handler(self, raised: int, handler: int) -> Arc | None:
        """The arc that follows where an exception that was raised here came to this handler, unless it ended there."""
        line = self.line(raised)
        if line is None or self._handler(raised // 2) != handler // 2:  # the latter: passed on by another handler
            return None
        place = handler // 2
        if self._operations[place] == _CLEANUP_THROW:  # it was thrown into what `yield from` or `await` waits for
            further = self._handler(place)
            place = _EXIT if further is None else further
        leads_to = self._leads_to(line, place)
        if leads_to == _EXIT:
            return self.at_unwinding(raised)
        return None if leads_to is None else (line, self._line_at(leads_to))

    def at_unwinding(self, raised: int) -> Arc | None:
        """The arc that follows from this: an exception that was raised here has left the code object."""
        line, operations = self.line(raised), self._operations[raised // 2 : raised // 2 + 2]
        # Raised elsewhere and passed on; raised before a line began; thrown into what waits, which counts for nothing.
        if line is None or operations[0] == _RERAISE or _RESUME in operations:
            return None
        return (line, self._end)

    def branches(self) -> Iterator[tuple[int, int]]:
        """The place of each branch, with each of its targets."""
        for unit, ways in self._ways.items():
            if len(ways) > 1:
                yield from ((2 * unit, 2 * way) for way in ways)

    def other_target(self, branch: int, target: int) -> int | None:
        """Where a branch goes when it does not go to `target`."""
        ways = [2 * way for way in self._ways.get(branch // 2, ()) if 2 * way != target]
        return ways[0] if len(ways) == 1 else None

    def must_be_seen(self, branch: int, target: int, statements: Statements | None) -> bool:
        """Whether only the branch itself can tell that it was taken to this target, which matters."""
        line = self.line(branch)
        leads_to = None if line is None else self._leads_to(line, target // 2)
        if line is None or leads_to is None:
            return False
        if leads_to != _EXIT and self._are_one(line, self._line_at(leads_to), statements):
            return False
        return not self._shows_itself(leads_to, line, statements)

    def _line_at(self, place: int) -> int:
        line = self._end if place == _EXIT else self._lines[place]
        assert line is not None
        return line

    def _shows_itself(self, place: int, line: int, statements: Statements | None) -> bool:
        """Whether a line that begins to run at this place can only have been reached from (the statement of) `line`."""
        if place == _EXIT:
            return False
        before = self._lines_before(place)
        return self._is_one(before, self._line_at(place), statements) and self._is_one({*before, line}, 0, statements)

    def _is_one(self, lines: Collection[int], line: int, statements: Statements | None) -> bool:
        """Whether what leads to `line` are another line or other lines of one statement, and nothing else."""
        if not lines or line in lines or _EXCEPTION in lines or _ENTRY in lines:
            return False
        if len(lines) == 1:
            return True
        first = min(lines)
        return all(self._are_one(first, other, statements) for other in lines)

    def _are_one(self, line: int, other: int, statements: Statements | None) -> bool:
        """Whether two lines are known to belong to one statement, as all lines of an expression do."""
        return self._is_expression or (statements is not None and statements.are_one(line, other))

    def _leads_to(self, line: int, unit: int) -> int | None:
        """The place where another line begins, or the exit, if that is certain from here; None if it is not."""
        passed = set()
        while unit != _EXIT:
            at = self._lines[unit]
            if at is not None and at != line and self._operations[unit] != _RESUME:
                return unit
            ways = self._ways.get(unit)
            if ways is None:
                unit += 1
                if unit == len(self._operations):
                    return None
            elif len(ways) != 1 or unit in passed:
                return None
            else:
                passed.add(unit)
                unit = ways[0]
        return unit

    def _lines_before(self, place: int) -> tuple[int, ...]:
        """The lines from which execution gets here in order, `_ENTRY` and `_EXCEPTION` among them."""
        known = self._before.get(place)
        if known is not None:
            return known
        found: set[int] = set()
        passed, waiting = {place}, [place]
        while waiting:
            here = waiting.pop()
            if here in self._handled:
                found.add(_EXCEPTION)
            if here == self._start:
                found.add(_ENTRY)
                continue
            for before in self._units_before(here):
                line = self._lines[before]
                if line is not None and self._operations[before] != _RESUME:
                    found.add(line)
                elif before not in passed:
                    passed.add(before)
                    waiting.append(before)
        self._before[place] = tuple(sorted(found))
        return self._before[place]

    def _units_before(self, unit: int) -> Iterator[int]:
        yield from self._jumps_to.get(unit, ())
        before = unit - 1
        while before > self._start and self._operations[before] == _CACHE:
            before -= 1
        if before not in self._ways:
            yield before

    def _ways_of(self, unit: int) -> tuple[int, ...]:
        op = self._operations[unit]
        if op in _RETURNS:
            return (_EXIT,)
        if op == _RAISE:
            return ()
        if op == _RERAISE:
            handler = self._handler(unit)
            return (_EXIT if handler is None else handler,)
        after = unit + 1
        while after < len(self._operations) and self._operations[after] == _CACHE:
            after += 1
        distance = self._argument(unit)
        target = after - distance if op in _BACKWARD else after + distance
        if op == _FOR_ITER:
            target += _BEHIND_LOOP
        return (target,) if op in _ALWAYS_JUMPS else (after, target)

    def _argument(self, unit: int) -> int:
        argument, shift = self._arguments[unit], 8
        while unit and self._operations[unit - 1] == _EXTENDED_ARG:
            unit -= 1
            argument |= self._arguments[unit] << shift
            shift += 8
        return argument

    def _handler(self, unit: int) -> int | None:
        """Where an exception goes that is raised here; None if it leaves the code object."""
        return next((target for start, end, target in self._handlers if start <= unit < end), None)


def _handlers(table: bytes) -> Iterator[tuple[int, int, int]]:
    """The entries of an exception table, in units: those from the first up to the second lead to the third."""
    numbers = _decoded(table)
    for start in numbers:
        length, target, _depth = next(numbers), next(numbers), next(numbers)
        yield start, start + length, target


def _decoded(table: bytes) -> Iterator[int]:
    value = 0
    for byte in table:
        value = (value << 6) | (byte & 63)
        if not byte & 64:
            yield value
            value = 0
