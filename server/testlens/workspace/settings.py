"""The settings in force: the project's own files, overridden by the editor's or the command line's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Protocol, TypeVar

from testlens.domain.gaps import GapKind
from testlens.domain.globs import matches
from testlens.domain.history import Change
from testlens.domain.problems import Problem
from testlens.domain.risk import Evidence, Risk, assess, merged_weights, unknown_weights
from testlens.domain.survivors import Show
from testlens.sources.project_config import ProjectConfig, ScaffoldStyle

T = TypeVar("T")

DEFAULT_TEST_TIMEOUT = 300.0


class Weigh(Protocol):
    """The risk of a gap: its kind, its consequences, then its function's complexity, unproven share and change."""

    def __call__(
        self,
        kind: GapKind,
        consequences: frozenset[str],
        complexity: int,
        unproven: float,
        change: Change | None,
        looks_equivalent: bool = False,
        /,
    ) -> Risk: ...


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the editor or the command line says; None or empty leaves the project's word."""

    python: str | None = None
    target: float | None = None
    critical: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    data: tuple[str, ...] = ()
    pytest_args: tuple[str, ...] = ()
    test_timeout: float | None = None
    record_values: bool | None = None
    scaffold_budget: float | None = None
    scaffold_network: bool | None = None
    scaffold_style: ScaffoldStyle | None = None
    mutants_show: Show | None = None
    slow_tests: float | None = None


NO_OVERRIDES = Overrides()


@dataclass(frozen=True, slots=True)
class Settings:
    """The project's configuration with the overrides in place. `weigh` judges evidence as the user's weights say."""

    config: ProjectConfig
    weigh: Weigh

    @property
    def target(self) -> float:
        """Target coverage in percent."""
        return self.config.target

    @property
    def test_timeout(self) -> float:
        """Seconds without any sign of life after which a test counts as hung."""
        return self.config.test_timeout or DEFAULT_TEST_TIMEOUT

    def is_critical(self, path: str) -> bool:
        """Whether a path (POSIX, relative) matches one of the user's `critical` globs."""
        return any(matches(path, pattern) for pattern in self.config.critical)


def settle(config: ProjectConfig, overrides: Overrides) -> tuple[Settings, tuple[Problem, ...]]:
    """Put `overrides` over the project's configuration; names of weights that do not exist are problems."""
    target = _first(overrides.target, config.target)
    merged = replace(
        config,
        python=overrides.python or config.python,
        target=min(max(target, 0.0), 100.0),
        critical=(*config.critical, *overrides.critical),
        data=overrides.data or config.data,
        pytest_args=(*config.pytest_args, *overrides.pytest_args),
        test_timeout=overrides.test_timeout or config.test_timeout,
        record_values=_first(overrides.record_values, config.record_values),
        scaffold_budget=_first(overrides.scaffold_budget, config.scaffold_budget),
        scaffold_network=_first(overrides.scaffold_network, config.scaffold_network),
        scaffold_style=_first(overrides.scaffold_style, config.scaffold_style),
        mutants_show=_first(overrides.mutants_show, config.mutants_show),
        slow_tests=_first(overrides.slow_tests, config.slow_tests),
    )
    weights = {**config.weights, **overrides.weights}
    problems = tuple(
        Problem(f"`{name}` is no factor of risk.", "docs/risk.md lists the names of the weights.")
        for name in unknown_weights(weights)
    )
    return Settings(merged, _scale(merged_weights(weights))), problems


def _first(override: T | None, own: T) -> T:
    return own if override is None else override


def _scale(weights: Mapping[str, float]) -> Weigh:
    # Large projects have many gaps of few kinds; equal evidence shares one risk.
    @lru_cache(maxsize=10_000)
    def weigh(
        kind: GapKind,
        consequences: frozenset[str],
        complexity: int,
        unproven: float,
        change: Change | None,
        looks_equivalent: bool = False,
        /,
    ) -> Risk:
        return assess(Evidence(kind, complexity, unproven, consequences, change, looks_equivalent), weights)

    return weigh
