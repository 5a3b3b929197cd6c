"""Disks that grow and go back, and what images consist of. Files only: nothing is mounted."""

import hashlib
import re

import pytest

from cloudlab import settings
from cloudlab.base.run import LabError, run
from cloudlab.hypervisor.disk import Disk
from cloudlab.hypervisor.machine import Machine
from cloudlab.install import cache, image


@pytest.fixture
def machine(tmp_path, monkeypatch):
    for name in ("MACHINES", "RUN"):
        monkeypatch.setattr(settings, name, tmp_path)
    made = Machine("m")
    made.disk.create(1, [("/etc/mark", "before", 0o644)])
    return made


def gib(disk: Disk) -> int:
    """The filesystem's size, by itself."""
    shown = run("dumpe2fs", "-h", disk.file).stdout
    blocks, size = (int(re.search(rf"^{name}: +(\d+)$", shown, re.M)[1]) for name in ("Block count", "Block size"))
    return blocks * size >> 30


def content(disk: Disk) -> str:
    return run("debugfs", "-R", "cat /upper/etc/mark", disk.file).stdout


def write(disk: Disk, name: str) -> None:
    run("debugfs", "-w", "-R", f"write /dev/null /upper/{name}", disk.file)


def files(disk: Disk) -> str:
    return run("debugfs", "-R", "ls /upper", disk.file).stdout


def test_disk_grows_with_what_is_on_it_and_never_shrinks(machine):
    machine.disk.grow(3)
    assert (gib(machine.disk), content(machine.disk)) == (3, "before")
    machine.disk.grow(1)
    assert gib(machine.disk) == 3
    assert machine.disk.file.stat().st_blocks * 512 < 64 << 20  # still sparse


def test_disk_goes_back_to_what_was_kept(machine):
    machine.disk.keep()
    machine.disk.grow(2)
    write(machine.disk, "later")
    assert "later" in files(machine.disk)
    machine.disk.restore()
    assert (gib(machine.disk), content(machine.disk)) == (1, "before")
    assert "later" not in files(machine.disk)
    assert not machine.disk.kept.exists()


def test_nothing_kept_means_nothing_to_go_back_to(machine):
    machine.disk.keep()
    machine.disk.grow(2)
    machine.disk.forget()
    machine.disk.forget()
    machine.disk.restore()
    assert gib(machine.disk) == 2


def test_every_image_is_built_or_a_layer_over_the_first(tmp_path, monkeypatch):
    monkeypatch.setattr(image, "CACHE", tmp_path)
    for name in settings.RELEASES:
        with pytest.raises(LabError, match=f"{name} is not built"):
            image.lower(name)
        image.path(name).mkdir()
        assert image.lower(name) == str(image.path(name))
    for name in settings.LAYERS:
        assert image.lower(name).split(":") == [str(image.layer(name)), str(image.path())]
        assert (image.SOURCES / name).is_dir()
    folders = [image.path(name) for name in settings.RELEASES] + [image.layer(name) for name in settings.LAYERS]
    assert len(set(folders)) == len(settings.IMAGES)
    assert all(cache.ENTRY.fullmatch(folder.name) for folder in folders)


def test_images_are_known_by_their_content_not_their_name():
    for name in settings.IMAGES:
        assert image.by_checksum(hashlib.md5(image.token(name)).hexdigest()) == name
    assert image.by_checksum("0" * 32) is None
    assert image.by_checksum(None) is None


def test_layer_is_readable_whatever_the_checkouts_umask(tmp_path):
    source = tmp_path / "source"
    (source / "etc").mkdir(parents=True, mode=0o700)
    (source / "etc/file").touch(0o600)
    image._lay(source, tmp_path / "layer")
    assert [(tmp_path / "layer" / p).stat().st_mode & 0o777 for p in ("etc", "etc/file")] == [0o755, 0o644]


def test_zone_of_a_hypervisor_is_in_its_name():
    for zone, hosts in settings.HYPERVISORS.items():
        assert {host.partition("-")[0] for host in hosts} == {zone}
