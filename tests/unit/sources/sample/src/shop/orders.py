# ruff: noqa: RET503 (implicit returns are branches, too)
"""Every kind of branch that reports write differently."""

import contextlib
import functools


def empty():
    return []


def total(prices):
    result = 0
    for price in prices:
        if price > 10:
            result += price - 1
        else:
            result += price
    return result


def label(count):
    if count == 1:
        return "one"
    if count > 3:
        name = "many"
    else:
        raise NotImplementedError
    if count > 100:
        name = "very " + name
    return name


@functools.cache
def expensive(
    number,
    other=2,
):
    while number:  # pragma: no branch
        number -= other
        if number == 7:
            break
    else:
        number = 1
    if number:  # pragma: no cover
        number = 2
    with contextlib.suppress(ValueError):
        int("x" * number)
    try:
        return number
    finally:
        if other:
            other = 3


def never_run(flag, items):
    if flag:  # pragma: no branch
        print(flag)
    found = [item for item in items if item]
    match flag:
        case 1:
            print(1)
        case 2:
            print(2)
    return found


def first(items, wanted):
    for item in items:
        if item == wanted:
            return item


class Order:
    if len(__name__) > 1:
        limit = 3

    def __init__(self, name):
        self.name = name

    def describe(self):
        key = lambda n: n and self.name  # noqa: E731
        if self.name == "x":
            return key(0)

    def last(self):
        if self.name:
            self.name = None


if __name__ == "__main__":
    print(total([1]))
