"""What the client says in `initializationOptions` and in later changes of its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeGuard, get_args

if TYPE_CHECKING:
    from testlens.workspace.settings import Overrides


Continuous = Literal["off", "onSave", "onIdle"]


@dataclass(frozen=True, slots=True)
class DiagnosticOptions:
    """Which gaps become diagnostics; risks from 0 to 100."""

    enabled: bool = True
    minimum_risk: float = 20.0
    maximum_per_file: int = 20
    warning_from: float = 60.0
    information_from: float = 35.0


@dataclass(frozen=True, slots=True)
class Options:
    """The client's settings; what it leaves out, or gives with a wrong type, has its default.

    A client without any notion of trust, as other editors are, runs what its user asks for.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    trusted: bool = True
    interpreter_provider: bool = False
    saves_documents: bool = False
    mutant_diffs: bool = False
    test_explorer: bool = False

    @property
    def diagnostics(self) -> DiagnosticOptions:
        """The part that concerns diagnostics."""
        found = self.settings.get("diagnostics")
        given = found if isinstance(found, dict) else {}
        default = DiagnosticOptions()
        return DiagnosticOptions(
            _flag(given, "enabled", default.enabled),
            _number(given, "minimumRisk", default.minimum_risk),
            int(_number(given, "maximumPerFile", default.maximum_per_file)),
            _number(given, "warningFrom", default.warning_from),
            _number(given, "informationFrom", default.information_from),
        )

    @property
    def code_lens(self) -> bool:
        """Whether functions get code lenses."""
        return _flag(self.settings, "codeLens", True)

    @property
    def python(self) -> str | None:
        """The interpreter that the user's setting names."""
        value = self.settings.get("python")
        return value if isinstance(value, str) and value else None

    @property
    def continuous(self) -> Continuous:
        """Whether tests run by themselves."""
        value = self.settings.get("continuous")
        return next((known for known in get_args(Continuous) if known == value), "off")

    def overrides(self) -> Overrides:
        """What takes precedence over the project's own configuration. Loads the core: not before `initialized`."""
        from testlens.domain.survivors import Show
        from testlens.sources.project_config import ScaffoldStyle
        from testlens.workspace.settings import Overrides

        target, timeout = self.settings.get("target"), self.settings.get("testTimeout")
        slow = self.settings.get("slowTests")
        weights, record = self.settings.get("weights"), self.settings.get("recordValues")
        found = self.settings.get("scaffold")
        scaffold = found if isinstance(found, dict) else {}
        shown = self.settings.get("mutants")
        show = shown.get("show") if isinstance(shown, dict) else None
        budget, network, style = (scaffold.get(name) for name in ("budget", "network", "style"))
        return Overrides(
            python=self.python,
            target=float(target) if _is_number(target) else None,
            critical=_texts(self.settings.get("critical")),
            weights={k: float(v) for k, v in weights.items() if _is_number(v)} if isinstance(weights, dict) else {},
            pytest_args=_texts(self.settings.get("pytestArgs")),
            test_timeout=float(timeout) if _is_number(timeout) and timeout > 0 else None,
            record_values=record if isinstance(record, bool) else None,
            scaffold_budget=float(budget) if _is_number(budget) and budget >= 0 else None,
            scaffold_network=network if isinstance(network, bool) else None,
            scaffold_style=next((known for known in get_args(ScaffoldStyle) if known == style), None),
            slow_tests=float(slow) if _is_number(slow) and slow >= 0 else None,
            mutants_show=next((known for known in get_args(Show) if known == show), None),
        )


def read_options(sent: object, before: Options) -> Options:
    """The options that a client sent; what the message does not speak of stays as it was `before`."""
    if not isinstance(sent, dict):
        return before
    # Some editors nest the settings of a server under its name.
    given = sent.get("testlens", sent)
    if not isinstance(given, dict):
        return before
    settings = given.get("settings", before.settings)
    return Options(
        settings if isinstance(settings, dict) else {},
        _flag(given, "trusted", before.trusted),
        _flag(given, "interpreterProvider", before.interpreter_provider),
        _flag(given, "savesDocuments", before.saves_documents),
        _flag(given, "mutantDiffs", before.mutant_diffs),
        _flag(given, "testExplorer", before.test_explorer),
    )


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _number(given: Mapping[str, Any], key: str, default: float) -> float:
    value = given.get(key)
    return float(value) if _is_number(value) else default


def _flag(given: Mapping[str, Any], key: str, default: bool) -> bool:
    value = given.get(key)
    return value if isinstance(value, bool) else default


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
