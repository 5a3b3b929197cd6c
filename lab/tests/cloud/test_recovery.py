"""What an operator meets: killed services, an interrupted build, `down` and `up`. Last, for it restarts the lab."""

import os
import signal
from pathlib import Path

import pytest
from conftest import command, eventually, fetch, lab

from cloudlab import settings
from cloudlab.base import process
from cloudlab.hypervisor import network
from cloudlab.hypervisor.machine import Machine as Box


def kill(service):
    os.kill(process.recall(service).pid, signal.SIGKILL)


def traces(uuid):
    """What is left of a machine on the host."""
    box = Box(uuid)
    mounts = Path("/proc/self/mountinfo").read_text()
    return [what for what, there in (
        ("folder", box.folder.exists()), ("namespace", box.ns in network.namespaces()), ("mount", uuid in mounts),
        ("processes", box.running()), ("cgroup", any(f.exists() for f in box.cgroup.folders()))) if there]


@pytest.mark.parametrize("moment", ["scheduling", "spawning"])
def test_nova_killed_while_it_builds(world, moment):
    machine = world.boot("interrupted", "dc1", {4: "203.0.113.246"}, None, wait=False)
    if moment == "spawning":
        eventually(Box(machine.id).folder.exists, seconds=30, every=0.01)
    kill("nova")
    lab("up", "--quiet")
    eventually(lambda: world.status(machine) in ("ERROR", "ACTIVE"), seconds=30, every=0.3)
    world.remove("interrupted")
    eventually(lambda: traces(machine.id), [], 10)


@pytest.mark.parametrize("moment", ["resize_migrating", "resize_finish"])
def test_nova_killed_while_it_resizes(world, b, moment):
    """The server is what it was; nova-compute alone would leave it stuck in the second of these states."""
    compute = world.cloud.compute
    b.run("echo kept >/root/mark; sync")
    for _ in range(5):
        compute.resize_server(b.id, compute.find_flavor("m1.small").id)
        eventually(lambda: compute.get_server(b.id).task_state, moment, 20, every=0.02)
        kill("nova")
        lab("up", "--quiet")
        if world.status(b) != "VERIFY_RESIZE":
            break
        # it was done before it was killed
        compute.revert_server_resize(b.id)
        eventually(lambda: world.status(b), "ACTIVE", 40, every=0.3)
    eventually(lambda: (world.status(b), b.run("cat /root/mark; df --output=size -m / | tail -n 1", check=False)),
               ("ACTIVE", 0), 40, every=0.3)
    assert compute.get_server(b.id).flavor.name == "m1.tiny"
    assert b.run("cat /root/mark") == "kept"
    assert int(b.run("df --output=size -m / | tail -n 1")) <= 1024
    assert Box(b.id).config.memory_mib == 512
    assert not Box(b.id).disk.kept.exists()


def test_deleted_server_leaves_nothing(world):
    machine = world.boot("short", "dc2", {4: "203.0.113.247"}, None)
    assert len(traces(machine.id)) == 5, Box(machine.id).console()[-2000:]
    world.remove("short")
    assert traces(machine.id) == []


def test_console_log_is_bounded(c):
    log = settings.MACHINES / c.id / "console.log"
    c.run("i=0; while [ $i -lt 40 ]; do head -c 100000 /dev/zero | tr '\\0' x >/dev/console; i=$((i+1)); done")
    eventually(lambda: log.stat().st_size + log.with_name("console.log.1").stat().st_size
               <= 2 * settings.CONSOLE_LOG_LIMIT if log.with_name("console.log.1").exists() else False, seconds=15)
    assert len(lab("console", "--project", "test", c.name)) > 0


def test_rules_hold_while_the_agent_is_dead_and_up_starts_it(world, c):
    kill("agent")
    eventually(lambda: command(str(settings.LAB / "lab.sh"), "status").returncode, 3, 5)
    assert fetch("203.0.113.243") == c.name
    assert fetch("203.0.113.243", port=9) is None
    lab("up", "--quiet")
    assert command(str(settings.LAB / "lab.sh"), "status").returncode == 0


def test_down_leaves_nothing_and_up_brings_the_same_servers_back(world, a, b, c):
    world.cloud.compute.stop_server(b.id)
    eventually(lambda: world.status(b), "SHUTOFF", 40, every=0.3)
    a.run("echo kept >/root/mark")
    kill("nova")
    kill("mariadb")
    lab("down", "--quiet")
    assert network.namespaces() == []
    assert not settings.RUN.exists()
    assert "ha-cluster/lab" not in Path("/proc/self/mountinfo").read_text()
    assert "halab" not in command("ip", "link").stdout
    assert "proto 201" not in command("ip", "route").stdout
    assert not [f for f in Box(a.id).cgroup.folders() if f.parent.exists()]
    assert command(str(settings.LAB / "lab.sh"), "status").returncode == 3
    lab("up", "--quiet")
    for machine in (a, c):
        eventually(lambda m=machine: world.status(m), "ACTIVE", 30, every=0.3)
        machine.wait_booted()
    assert a.run("cat /root/mark") == "kept"
    eventually(lambda: fetch("203.0.113.241"), a.name, 30)
    eventually(lambda: fetch("2001:db8:46:f1::1"), a.name, 30)
    assert world.status(b) == "SHUTOFF"
    assert not Box(b.id).running()
    world.cloud.compute.start_server(b.id)
    eventually(lambda: fetch("203.0.113.242"), b.name, 60)


def test_up_when_up_is_quick_and_changes_nothing(a):
    before = process.recall("nova")
    lab("up", "--quiet", timeout=3)
    assert process.recall("nova") == before
    assert a.booted()
