"""A server's life through Nova, and what happens from inside or by a pulled plug."""

import openstack.exceptions
import pytest
from conftest import eventually, fetch, lab

ADDRESS = "203.0.113.243"


def answers(machine):
    return lambda: fetch(ADDRESS) == machine.name


@pytest.fixture
def active(world, c):
    """Machine c, running when the test begins and made to run again when it ends."""
    yield c
    if world.status(c) == "PAUSED":
        world.cloud.compute.unpause_server(c.id)
    elif world.status(c) == "SHUTOFF":
        world.cloud.compute.start_server(c.id)
    eventually(lambda: world.status(c), "ACTIVE", 60, every=0.3)
    eventually(answers(c), seconds=60)


def test_stop_halts_in_order_and_start_brings_it_back(world, active):
    active.run("echo kept >/root/mark")
    world.cloud.compute.stop_server(active.id)
    eventually(lambda: world.status(active), "SHUTOFF", 40, every=0.3)
    assert fetch(ADDRESS) is None
    assert "Halting system" in lab("console", "--project", "test", active.name)
    world.cloud.compute.start_server(active.id)
    eventually(answers(active), seconds=60)
    assert active.run("cat /root/mark") == "kept"


@pytest.mark.parametrize("kind", ["SOFT", "HARD"])
def test_reboot_starts_anew(world, active, kind):
    before = active.boot()
    # nothing of the kernel's may survive in the machine's namespace, as it wouldn't on a real one
    active.run("nft add table inet leftover; sysctl -qw net.ipv4.ip_forward=1; ip addr add 203.0.113.250/32 dev lo")
    world.cloud.compute.reboot_server(active.id, kind)
    active.wait_rebooted(before)
    eventually(answers(active), seconds=60)
    assert active.run("nft list tables; sysctl -n net.ipv4.ip_forward; ip -4 -o addr show dev lo | wc -l") == "0\n1"


def test_reboot_from_inside(world, active):
    before = active.boot()
    active.run("systemctl --no-block reboot", check=False)
    active.wait_rebooted(before)
    assert world.status(active) == "ACTIVE"


def test_poweroff_from_inside_shows_in_nova(world, active):
    active.run("systemctl --no-block poweroff", check=False)
    eventually(lambda: world.status(active), "SHUTOFF", 60, every=0.5)


def test_pulled_plug_is_immediate_and_nova_knows(world, active):
    active.run(": >/run/was-up")
    shown_before = lab("console", "--project", "test", active.name).count("Halting system")
    lab("power", "--project", "test", active.name, "off")
    assert world.status(active) == "SHUTOFF"
    assert lab("console", "--project", "test", active.name).count("Halting system") == shown_before
    lab("power", "--project", "test", active.name, "on")
    assert world.status(active) == "ACTIVE"
    eventually(answers(active), seconds=60)


def test_power_reset_boots_anew(world, active):
    before = active.boot()
    lab("power", "--project", "test", active.name, "reset")
    active.wait_rebooted(before)


def test_power_on_before_nova_noticed_that_it_went_off(world, active):
    before = active.boot()
    active.run("systemctl --no-block poweroff", check=False)
    eventually(lambda: "running" in lab("status").split(active.name)[1].splitlines()[0], False, 30, every=0.2)
    lab("power", "--project", "test", active.name, "on")
    active.wait_rebooted(before)


def test_pause_silences_and_unpause_goes_on(world, active):
    world.cloud.compute.pause_server(active.id)
    eventually(lambda: world.status(active), "PAUSED", 20, every=0.3)
    assert fetch(ADDRESS) is None
    world.cloud.compute.unpause_server(active.id)
    eventually(lambda: world.status(active), "ACTIVE", 20, every=0.3)
    eventually(answers(active), seconds=10)


def test_rebuild_gives_a_new_disk_and_the_same_addresses(world, active):
    active.run("touch /root/gone-after-rebuild")
    world.cloud.compute.rebuild_server(active.id, image=world.image.id)
    eventually(lambda: active.run("test -e /root/gone-after-rebuild", check=False), 1, 60, every=0.3)
    active.wait_booted()
    eventually(answers(active), seconds=60)
    assert active.run("ip -4 -o addr show eth0").split()[3] == f"{ADDRESS}/26"


def test_what_the_lab_can_not_do_is_refused(world, c):
    for action in (lambda: world.cloud.compute.suspend_server(c.id),
                   lambda: world.cloud.compute.shelve_server(c.id),
                   lambda: world.cloud.compute.create_server_image(c.id, "labtest-snapshot")):
        with pytest.raises(openstack.exceptions.HttpException, match="403"):
            action()
    with pytest.raises(openstack.exceptions.HttpException, match="404"):
        world.cloud.network.create_router(name="labtest-router")


def test_port_plugged_into_a_living_machine_and_out_again(world, c):
    port = world.external_port("extra", {4: "203.0.113.245"}, world.open)
    world.cloud.compute.create_server_interface(c.id, port_id=port.id)
    eventually(lambda: c.run("test -e /sys/class/net/eth1", check=False), 0, 20)
    c.run("ip addr add 203.0.113.245/32 dev eth1; ip link set eth1 up; ip neigh flush all")
    world.cloud.compute.delete_server_interface(port.id, server=c.id)
    eventually(lambda: c.run("test -e /sys/class/net/eth1", check=False), 1, 20)
