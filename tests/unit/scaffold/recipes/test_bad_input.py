"""Code of every kind, and code that must not simply be called: each gets a right test, or an honest word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from unit.scaffold.recipes.writing import Bench

SOURCE = '''
import functools, os, shutil, socket, subprocess, sys, time
from contextlib import contextmanager
from typing import overload


def untyped(a, b):
    return a + b


def spread(*args, **kwargs):
    return len(args) + len(kwargs)


def by_position(a, b, /):
    return a * b


def by_name(*, left, right=2):
    return left - right


class Station:
    limit = 3

    def __init__(self, name):
        self.name = name

    @property
    def title(self):
        return self.name.title()

    @title.setter
    def title(self, value):
        self.name = value.lower()

    @classmethod
    def named(cls, name):
        return cls(name)

    @staticmethod
    def is_far(distance):
        return distance > 100

    @functools.cached_property
    def size(self):
        return len(self.name)

    def __eq__(self, other):
        return isinstance(other, Station) and other.name == self.name

    def __len__(self):
        return len(self.name)


def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


@logged
def decorated(count):
    if count > 3:
        return "many"
    return "few"


@functools.lru_cache
def cached(count):
    return count * 2


def outer(factor):
    def inner(value):
        return value * factor

    return inner


@overload
def twice(value: int) -> int: ...
@overload
def twice(value: str) -> str: ...
def twice(value):
    return value * 2


def numbers(end):
    for number in range(end):
        yield number * number


async def later(end):
    for number in range(end):
        yield number


@contextmanager
def opened(name):
    events = [name]
    try:
        yield events
    finally:
        events.append("closed")


class Positive:
    def __set_name__(self, owner, name):
        self.name = "_" + name

    def __get__(self, instance, owner):
        if instance is None:
            return self
        return getattr(instance, self.name)

    def __set__(self, instance, value):
        if value <= 0:
            raise ValueError("not positive")
        setattr(instance, self.name, value)


class Registry(type):
    known = {}

    def __new__(mcs, name, bases, namespace):
        made = super().__new__(mcs, name, bases, namespace)
        mcs.known[name] = made
        return made

    def forget(cls):
        return Registry.known.pop(cls.__name__, None)


class Archive:
    def __init__(self, path):
        with open(path) as file:
            self.lines = file.readlines()

    def first(self):
        return self.lines[0].strip()


def result(call, pytest, mocker):
    """Names that tests use themselves."""
    if call:
        return pytest
    return mocker


def deletes(folder):
    shutil.rmtree(folder)
    return True


def deletes_home():
    shutil.rmtree(os.environ["WEATHER_HOME"])
    return True


def blocks():
    while True:
        time.sleep(1)


def exits(code):
    sys.exit(code)


def leaves():
    os._exit(3)


def forks():
    pid = os.fork()
    return pid


def starts():
    return subprocess.run(["touch", os.environ["WEATHER_HOME"] + "/touched"], check=True).returncode


def talks(host):
    with socket.create_connection((host, 80)) as connection:
        return connection.recv(1)
'''
# What nobody can find out by calling it, and a metaclass that no class has.
LEFT_TO_DO = {"blocks", "leaves", "Registry.forget"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    (folder / "letter.txt").write_text("dear")
    return folder


@pytest.fixture(scope="module")
def verdicts(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, tuple[str, str]]]:
    """For each function, by name and line, what came of running its tests three times, and what was said of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WEATHER_HOME", str(home))
        with Bench(tmp_path_factory.mktemp("weather"), SOURCE, budget=2.0) as bench:
            yield bench.verdicts()


def test_every_kind_of_function_gets_a_test_that_is_green(verdicts: Mapping[str, tuple[str, str]]) -> None:
    assert len(verdicts) > 30
    green = {name for name, (outcome, _) in verdicts.items() if outcome == "passed"}
    assert verdicts.keys() - green == LEFT_TO_DO, {name: verdicts[name] for name in verdicts.keys() - green}


def test_what_is_left_to_do_says_why(verdicts: Mapping[str, tuple[str, str]]) -> None:
    assert "did not end" in verdicts["blocks"][1]
    assert "ended the process" in verdicts["leaves"][1]


def test_nothing_outside_is_touched(verdicts: Mapping[str, tuple[str, str]], home: Path) -> None:
    assert verdicts["deletes_home"][0] == verdicts["starts"][0] == "passed"
    assert [entry.name for entry in home.iterdir()] == ["letter.txt"]
