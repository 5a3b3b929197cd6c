"""Processes by identity, not by number."""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, replace

import pytest

from cloudlab.base import process


@pytest.fixture(autouse=True)
def records(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "RUN", tmp_path)
    return tmp_path


@pytest.fixture
def sleeper(tmp_path):
    identity = process.start("sleeper", ["sleep", "60"], tmp_path / "log", dict(os.environ), code="v1")
    yield identity
    process.stop("sleeper", 0)


def test_stat_of_a_name_with_blanks_and_brackets():
    text = "42 (a) b (c) R 1 42 42 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 12345 0 0"
    assert process.parse_stat(text) == ("R", 12345)


def test_started_process_is_remembered_with_its_code(sleeper):
    assert process.recall("sleeper") == sleeper
    assert process.recall("sleeper").code == "v1"
    assert os.stat(process.record_path("sleeper")).st_mode & 0o777 == 0o600


@pytest.mark.parametrize("change", [{"started": 1}, {"boot": "another"}])
def test_recycled_pid_is_not_our_process(sleeper, change):
    process.record_path("sleeper").write_text(json.dumps(asdict(replace(sleeper, **change))))
    assert process.recall("sleeper") is None
    assert not process.stop("sleeper", 0)
    assert process.is_alive(sleeper)  # stop did not touch the stranger
    process.record_path("sleeper").write_text(json.dumps(asdict(sleeper)))


def test_zombie_is_dead():
    child = subprocess.Popen([sys.executable, "-c", ""])
    try:
        deadline = time.monotonic() + 10
        while process.identify(child.pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert os.path.exists(f"/proc/{child.pid}")  # still there, for nobody has waited for it
        assert process.identify(child.pid) is None
    finally:
        child.wait()


@pytest.mark.parametrize("content", ["", "garbage", "{}", '{"pid": 1}'])
def test_unreadable_record_is_no_process(content):
    process.record_path("x").write_text(content)
    assert process.recall("x") is None


def test_stop_ends_also_what_ignores_sigterm(tmp_path):
    stubborn = process.start("stubborn", ["sh", "-c", "trap '' TERM; echo ready; sleep 60 & wait; wait"],
                             tmp_path / "log", dict(os.environ))
    deadline = time.monotonic() + 10
    while "ready" not in (tmp_path / "log").read_text() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert process.stop("stubborn", 0.2)
    assert not process.is_alive(stubborn)
    assert not process.record_path("stubborn").exists()
