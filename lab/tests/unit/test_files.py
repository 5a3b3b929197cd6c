"""Private files, mounts and trees."""

import subprocess

import pytest

from cloudlab.base import files
from cloudlab.base.run import CommandFailed, LabError, run

MOUNTINFO = """\
25 1 254:0 / / rw,relatime - ext4 /dev/vda rw
60 25 0:50 / /run/lab/roots/a rw - overlay lab rw
61 60 0:51 / /run/lab/roots/a/proc rw - proc proc rw
62 25 0:52 / /run/lab/roots/with\\040blank rw - overlay lab rw
63 25 0:53 / /run/laboratory rw - tmpfs tmpfs rw
"""


def test_mounts_below_come_deepest_first_and_unescaped():
    assert files.parse_mounts(MOUNTINFO, "/run/lab") == [
        "/run/lab/roots/with blank", "/run/lab/roots/a/proc", "/run/lab/roots/a"]
    assert files.parse_mounts(MOUNTINFO, "/run/lab/roots/a") == ["/run/lab/roots/a/proc", "/run/lab/roots/a"]
    assert files.parse_mounts(MOUNTINFO, "/srv") == []


def test_tree_with_a_mount_that_stays_is_not_walked_into(tmp_path, monkeypatch):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "file").touch()
    monkeypatch.setattr(files, "mounts_below", lambda folder: [f"{folder}/proc"])
    monkeypatch.setattr(files, "run", lambda *a, **k: subprocess.CompletedProcess(a, 32))
    with pytest.raises(LabError, match="still mounted"):
        files.remove_tree(tmp_path / "tree")
    assert (tmp_path / "tree" / "file").exists()


def test_private_file_is_private_and_replaced_whole(tmp_path):
    target = tmp_path / "deep" / "secret"
    files.write_private(target, "one")
    files.write_private(target, b"two")
    assert target.read_text() == "two"
    assert target.stat().st_mode & 0o777 == 0o600
    assert [f.name for f in target.parent.iterdir()] == ["secret"]


def test_fingerprint_changes_with_content_name_and_text(tmp_path):
    (tmp_path / "a").write_text("1")
    first = files.fingerprint(tmp_path, "x")
    assert first == files.fingerprint(tmp_path, "x")
    assert first != files.fingerprint(tmp_path, "y")
    (tmp_path / "a").write_text("2")
    assert first != files.fingerprint(tmp_path, "x")
    (tmp_path / "a").write_text("1")
    (tmp_path / "a").rename(tmp_path / "b")
    assert first != files.fingerprint(tmp_path, "x")


def test_failed_command_says_its_last_words():
    with pytest.raises(CommandFailed, match="exit 3: alas"):
        run("sh", "-c", "echo alas >&2; exit 3")
