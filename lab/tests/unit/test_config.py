"""Configuration files and accounts."""

import pytest

from cloudlab import settings
from cloudlab.services import config


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setattr(config, "SECRETS", tmp_path / "secrets.json")
    return tmp_path


def test_passwords_are_made_once_and_private(state):
    first = config.passwords()
    assert config.passwords() == first
    assert set(first) == {"admin", "service", "dev", "test"}
    assert len(set(first.values())) == 4
    assert min(map(len, first.values())) >= 32
    assert (state / "secrets.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("template", sorted(t.name for t in config.TEMPLATES.iterdir()))
def test_every_template_has_all_its_values(template):
    names = ("state", "config", "venv", "region", "keystone_url", "glance_url", "credentials", "token_check",
             "database", "api_database", "service_password", "project", "password", "clouds")
    text = config.render(template, **{name: f"<{name}>" for name in names})
    assert "${" not in text


def test_services_listen_on_loopback_only():
    assert settings.KEYSTONE_URL.startswith("http://127.0.0.1:")
    assert len(set(settings.PORTS.values())) == 5


def test_clouds_file_holds_every_project_and_parses(state, monkeypatch):
    monkeypatch.setattr(settings, "CLOUDS_YAML", state / "clouds.yaml")
    config._write_clouds({"dev": "pd", "test": "pt", "admin": "pa"})
    lines = (state / "clouds.yaml").read_text().splitlines()
    assert [line.strip() for line in lines if line.startswith("  lab-")] == ["lab-dev:", "lab-test:", "lab-admin:"]
    assert [line.split()[1] for line in lines if "password:" in line] == ["pd", "pt", "pa"]
    assert (state / "clouds.yaml").stat().st_mode & 0o777 == 0o600
