"""Settings of one deployment, read from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from clarity.errors import ConfigurationError

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})


@dataclass(frozen=True)
class Settings:
    """What a deployment decides. Times are in seconds."""

    table_name: str
    queue_url: str
    alert_topic_arn: str
    region: str = "eu-central-1"
    model_path: str | None = None
    max_attempts: int = 5
    base_delay: float = 0.1
    max_delay: float = 10.0
    alerts_enabled: bool = True

    def __post_init__(self) -> None:
        if self.max_attempts < 1:
            raise ConfigurationError(f"CLARITY_MAX_ATTEMPTS must be at least 1, not {self.max_attempts}")
        if self.base_delay > self.max_delay:
            raise ConfigurationError("CLARITY_BASE_DELAY must not exceed CLARITY_MAX_DELAY")

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read `CLARITY_*` variables; those that name resources are required."""
        env = os.environ if env is None else env
        return cls(
            table_name=_required(env, "CLARITY_TABLE"),
            queue_url=_required(env, "CLARITY_QUEUE_URL"),
            alert_topic_arn=_required(env, "CLARITY_ALERT_TOPIC"),
            region=env.get("AWS_REGION", cls.region),
            model_path=env.get("CLARITY_MODEL_PATH") or None,
            max_attempts=int(_number(env, "CLARITY_MAX_ATTEMPTS", cls.max_attempts)),
            base_delay=_number(env, "CLARITY_BASE_DELAY", cls.base_delay),
            max_delay=_number(env, "CLARITY_MAX_DELAY", cls.max_delay),
            alerts_enabled=_flag(env, "CLARITY_ALERTS", cls.alerts_enabled),
        )


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "").strip()
    if not value:
        raise ConfigurationError(f"{name} is not set")
    return value


def _number(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name)
    if text is None:
        return default
    try:
        return float(text)
    except ValueError as error:
        raise ConfigurationError(f"{name} must be a number, not {text!r}") from error


def _flag(env: Mapping[str, str], name: str, default: bool) -> bool:
    text = env.get(name)
    if text is None:
        return default
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ConfigurationError(f"{name} must be yes or no, not {text!r}")
