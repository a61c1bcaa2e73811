"""What a developer is shown as one gap."""

from __future__ import annotations

from testlens.analysis.syntax import outline
from testlens.domain.coverage import Numbers
from testlens.domain.gaps import Owners, Region, scope_numbers
from unit.sample import regions, run


def brief(found: list[Region]) -> list[tuple[str, str, int, int]]:
    return [(region.kind, region.function, region.first, region.last) for region in found]


def test_a_function_that_no_test_calls_is_one_gap() -> None:
    text = """\
        def total(items):
            '''Add them up.'''
            result = 0
            for item in items:
                if item:
                    result += item
            return result
        """
    assert brief(regions(text)) == [("uncovered", "total", 3, 7)]


def test_statements_that_ran_part_two_gaps_of_one_block() -> None:
    text = """\
        def pick(a, b):
            if a:
                x = 1
                y = 2
            z = 3
            if b:
                x = 4
            return z
        """
    found = regions(text, "pick(0, 0)")
    assert brief([region for region in found if region.kind == "uncovered"]) == [
        ("uncovered", "pick", 3, 4),
        ("uncovered", "pick", 7, 7),
    ]


def test_each_except_clause_is_a_gap_of_its_own() -> None:
    text = """\
        def load(text):
            try:
                return int(text)
            except ValueError:
                kind = "value"
                return kind
            except TypeError:
                return None
        """
    assert brief(regions(text, "load('1')")) == [("uncovered", "load", 4, 6), ("uncovered", "load", 7, 8)]


def test_a_branch_never_taken_is_named() -> None:
    text = """\
        def clamp(x):
            if x > 10:
                x = 10
            return x
        """
    (gap,) = regions(text, "clamp(11)")
    assert (gap.kind, gap.function, gap.arcs) == ("partial", "clamp", ((2, 4),))
    assert gap.reason == "line 2 never continued to line 4: the condition was always true"


def test_an_uncovered_gap_says_which_branch_would_lead_to_it() -> None:
    text = """\
        def clamp(x):
            if x > 10:
                x = 10
            return x
        """
    uncovered = next(gap for gap in regions(text, "clamp(1)") if gap.kind == "uncovered")
    assert uncovered.reason == "line 2 never continued to line 3: the condition was never true"


def test_a_nested_function_is_a_gap_of_its_own() -> None:
    text = """\
        def outer():
            def inner():
                return 1
            return inner
        """
    assert brief(regions(text, "outer()")) == [("uncovered", "outer.inner", 3, 3)]


def test_methods_are_named_with_their_class() -> None:
    text = """\
        class Account:
            @property
            def balance(self):
                return 1

            @balance.setter
            def balance(self, value):
                self.value = value
        """
    found = regions(text, "Account().balance")
    assert brief(found) == [("uncovered", "Account.balance", 8, 8)]
    assert found[0].scope_line == 7


def test_excluded_lines_are_no_gaps() -> None:
    text = """\
        def debug(x):
            if x:  # pragma: no cover
                print(x)
                return 1
            return 2
        """
    assert regions(text, "debug(0)") == []


def test_every_missing_line_lies_in_exactly_one_gap() -> None:
    text = """\
        def many(a):
            with open(a) as f: data = f.read()
            try: x = 1
            finally: y = 2
            match a:
                case 1: return 1
                case 2 | 3:
                    return 2
                case _: pass
            while a: a -= 1
            else: z = 1
            async def never(): return [b for b in a if b]
            return lambda: 3
        if False: x = 1
        def one(): return 1
        """
    found, coverage = run(text)
    shape = outline(found.tree)
    lines = [line for region in regions(text) for line in region.statements]
    assert sorted(lines) == sorted(coverage.missing)
    assert len(lines) == len(set(lines)) > 10
    total = sum(scope_numbers(coverage, Owners(shape.scopes)).values(), Numbers())
    assert total == coverage.numbers


def test_a_loop_that_never_ran_to_its_end_says_so() -> None:
    text = """\
        def first(items):
            for item in items:
                return item
            return None
        """
    reasons = {gap.reason for gap in regions(text, "first([1])")}
    assert reasons == {"line 2 never continued to line 4: the loop never ran to its end"}
