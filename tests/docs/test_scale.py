"""What docs/scale.md shows is consistent, as far as that can be seen without running it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from kumo_handlers.pipeline.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "scale.md").read_text()


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The example for containers."""
    yaml = pytest.importorskip("yaml", reason="PyYAML comes with the extra docs")
    (text,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def test_compose_names_what_is_there(compose: dict[str, Any]) -> None:
    """Services that others wait for, volumes that are mounted; each worker has its own."""
    services = compose["services"]
    mounted = [each.partition(":")[0] for one in services.values() for each in one["volumes"]]
    assert sorted(mounted) == sorted(compose["volumes"])
    for service in services.values():
        assert {*service.get("depends_on", ())} <= {*services}
    assert {one["environment"].get("ROLE") for one in services.values()} == {
        None,
        "receiver",
        "worker",
    }


def test_settings_of_compose(compose: dict[str, Any]) -> None:
    """The URLs are ones that the settings take."""
    for name in ("intake", "worker1", "worker2"):
        environment = compose["services"][name]["environment"]
        commit, database = (
            re.sub(r"\$\{\w+_PASSWORD\}", "secret", environment[key])
            for key in ("COMMIT", "DATABASE")
        )
        settings = Settings.read({"commit": commit, "ship": [database]})
        assert settings.commit.terms.queues == ("mail", "bounces", "complaints")
