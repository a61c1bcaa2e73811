from __future__ import annotations

from clarity.config import Settings

ENVIRONMENT = {
    "CLARITY_TABLE": "health",
    "CLARITY_QUEUE_URL": "https://sqs.example/analyses",
    "CLARITY_ALERT_TOPIC": "arn:aws:sns:eu-central-1:1:alerts",
}


def test_settings_are_read_from_the_environment() -> None:
    """
    Given the variables of a deployment
    When settings are read
    Then they hold the values, and defaults for the rest
    """
    settings = Settings.from_env({**ENVIRONMENT, "CLARITY_MAX_ATTEMPTS": "3"})
    assert settings.table_name == "health"
    assert settings.max_attempts == 3
    assert settings.region == "eu-central-1"
