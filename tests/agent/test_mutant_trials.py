"""A test can be tried on a mutant: its function does what the mutant does, wherever it is held."""

from __future__ import annotations

from agent.exploring import exploring
from agent.projects import Project

SHOP = {
    "shop.py": '''
        import functools

        LOADED = []
        LOADED.append("once")

        def loud(function):
            @functools.wraps(function)
            def call(*args):
                return function(*args)
            return call

        def is_large(amount, limit=10):
            """Whether it is large."""
            return amount > limit

        alias = is_large

        class Till:
            def __init__(self, cash):
                self.cash = cash

            def takes(self, amount):
                return self.cash + amount

            @staticmethod
            def rounded(amount):
                return amount // 2

            @classmethod
            def empty(cls):
                return cls(0)

            @property
            def is_full(self):
                return self.cash > 99

            class Drawer:
                def count(self):
                    return 3

        class Safe(Till):
            def opens(self, amount):
                return super().takes(amount) * 2

        @loud
        def shout(word):
            return word.upper()

        def counter(start):
            def following():
                return start + 1
            return following

        FROM_FIVE = counter(5)

        async def later(value):
            return value - 1

        def some(values):
            for value in values:
                yield value * 2
        '''
}

MUTANTS = {
    "a function": ("is_large", ("amount > limit", "amount >= limit"), "is_large(10)"),
    "a function under another name": ("is_large", ("amount > limit", "amount >= limit"), "alias(10)"),
    "a default": ("is_large", ("limit=10", "limit=11"), "not is_large(11)"),
    "a method": ("Till.takes", ("self.cash + amount", "self.cash - amount"), "Till(3).takes(1) == 2"),
    "a static method": ("Till.rounded", ("amount // 2", "amount / 2"), "Till.rounded(5) == 2.5"),
    "a class method": ("Till.empty", ("cls(0)", "cls(1)"), "Till.empty().cash == 1"),
    "a property": ("Till.is_full", ("self.cash > 99", "self.cash >= 99"), "Till(99).is_full"),
    "a method of a nested class": ("Till.Drawer.count", ("return 3", "return 4"), "Till.Drawer().count() == 4"),
    "a method that calls super no more": ("Safe.opens", ("super().takes(amount)", "None"), "raises(TypeError)"),
    "a decorated function": ("shout", ("word.upper()", "word.lower()"), "shout('A') == 'a'"),
    "an inner function": ("counter", ("start + 1", "start - 1"), "counter(5)() == 4"),
    "an inner function made at import": ("counter.following", ("start + 1", "start - 1"), "FROM_FIVE() == 4"),
    "an inner function that forgets": ("counter.following", ("start + 1", "None"), "FROM_FIVE() is None"),
    "a generator": ("some", ("value * 2", "value / 2"), "list(some([4])) == [2]"),
}
RAISES = "def raises(error):\n    with pytest.raises(error):\n        Safe(1).opens(1)\n    return True\n"


async def test_the_mutant_plays_its_function_however_that_is_held(project: Project) -> None:
    project.write(SHOP)
    wrong = {}
    async with exploring(project) as exploration:
        for kind, (function, change, claim) in MUTANTS.items():
            text = f"import pytest\nfrom shop import *\n{RAISES}def test_it():\n    assert {claim}\n"
            on_mutant = await exploration.trial_on(function, change, text)
            on_original = await exploration.trial(text)
            if (on_mutant.outcome, on_original.outcome) != ("passed", "failed"):
                wrong[kind] = (on_mutant, on_original)

    assert not wrong


async def test_the_module_is_not_run_again_and_the_original_is_what_other_trials_see(project: Project) -> None:
    project.write(SHOP)
    text = "import shop\ndef test_it():\n    assert shop.LOADED == ['once']\n    result = shop.is_large(10)\n"
    before = (project.root / "shop.py").read_bytes()
    async with exploring(project) as exploration:
        on_mutant = await exploration.trial_on("is_large", ("amount > limit", "amount >= limit"), text)
        afterwards = await exploration.trial(text)

    assert on_mutant.local_values["result"].code == "True"
    assert on_mutant.lines == afterwards.lines  # of the file that is watched
    assert afterwards.local_values["result"].code == "False"
    assert (project.root / "shop.py").read_bytes() == before


async def test_a_mutant_that_cannot_be_put_in_place_says_so(project: Project) -> None:
    project.write(SHOP)
    text = "import shop\ndef test_it():\n    pass\n"
    async with exploring(project) as exploration:
        trial = await exploration.trial_on("is_large", ("def is_large", "def is_small"), text)

    assert trial.outcome == "error"
    assert "the mutant could not be tried: the mutant has no function `is_large`" in trial.message


async def test_without_forks_a_mutant_is_tried_in_a_session_of_its_own(project: Project) -> None:
    project.write(SHOP)
    text = "from shop import is_large\ndef test_it():\n    assert is_large(10)\n"
    async with exploring(project, forks=False) as exploration:
        trial = await exploration.trial_on("is_large", ("amount > limit", "amount >= limit"), text)

    assert trial.outcome == "passed", trial.message
