"""What counts as trying again is what does: a search among alternatives, a walk down a tree and a name alone do not."""

from __future__ import annotations

import pytest

from testlens.scaffold.recipes.retry_attempts import stated_attempts
from testlens.scaffold.recipes.retry_sites import find_site
from unit.scaffold.recipes.targets import target_at

ALTERNATIVES = """
    def load(loaders, name):
        for loader in loaders:
            try:
                return loader.load(name)
            except KeyError:
                continue
"""
DERIVED = """
    def connect(addresses):
        for address in addresses:
            host, port = address
            try:
                return open_socket(host, port)
            except OSError as error:
                last = error
        raise last
"""
DOWN_A_TREE = """
    class Branch:
        def fold(self, node):
            try:
                return node.left.fold(node)
            except ValueError:
                return self.other.fold(node)
"""
NAME_ALONE = """
    def plan(policy, method):
        return policy.is_retryable(method)
"""
COUNTED = """
    def fetch(client, retries=4):
        for _ in range(retries + 1):
            try:
                return client.get()
            except OSError:
                pass
"""
AT_MOST = """
    MOST = 3

    def fetch(client):
        for attempt in range(1, MOST + 1):
            try:
                return client.get()
            except OSError:
                print(attempt)
"""
DELAYS = """
    import time

    def fetch(client):
        for delay in (1, 2, 4):
            try:
                return client.get()
            except OSError:
                time.sleep(delay)
"""
AGAIN = """
    def fetch(client, attempts=3):
        try:
            return client.get()
        except OSError:
            if attempts == 1:
                raise
            return fetch(client, attempts - 1)
"""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (ALTERNATIVES, "return loader.load"),
        (DERIVED, "last = error"),
        (DOWN_A_TREE, "self.other.fold"),
        (NAME_ALONE, "return policy"),
    ],
    ids=["alternatives", "alternatives taken apart", "a walk down a tree", "a name alone"],
)
def test_what_only_looks_like_it_is_no_retry(text: str, line: str) -> None:
    assert find_site(target_at(text, line)) is None


@pytest.mark.parametrize(
    ("text", "line", "means", "attempts"),
    [
        (COUNTED, "pass", "loop", 5),
        (AT_MOST, "print(attempt)", "loop", 3),
        (DELAYS, "time.sleep", "loop", 3),
        (AGAIN, "return fetch", "recursion", None),
    ],
)
def test_the_number_of_attempts_is_read_from_the_text(text: str, line: str, means: str, attempts: int | None) -> None:
    target = target_at(text, line)
    site = find_site(target)
    assert site is not None
    assert site.means == means
    assert [call.func.attr for call in site.operations if hasattr(call.func, "attr")] == ["get"]
    assert stated_attempts(site, target) == attempts
