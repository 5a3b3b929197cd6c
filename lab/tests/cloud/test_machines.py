"""What a machine is when it has booted."""

import pytest
from conftest import PORT, command, eventually, fetch, lab

from cloudlab import settings


def ssh(world, user, address, script):
    return command(
        settings.LAB / "lab.sh", "client", "ssh", "-i", world.folder / "user", "-o", "BatchMode=yes",
        "-o", "StrictHostKeyChecking=yes", "-o", f"UserKnownHostsFile={world.folder / 'known'}",
        "-o", "ConnectTimeout=5", f"{user}@{address}", script)


@pytest.mark.parametrize("address", ["203.0.113.241", "2001:db8:46:f1::1"])
def test_default_user_has_sudo_and_the_host_key_of_the_user_data(world, a, address):
    key = (world.folder / "host.pub").read_text().rsplit(" ", 1)[0]
    (world.folder / "known").write_text(f"{address} {key}\n")
    done = ssh(world, "debian", address, "sudo whoami")
    assert (done.stdout.strip(), done.returncode) == ("root", 0), done.stderr


def test_root_login_is_refused_as_in_stock_images(a):
    assert "Please login as the user" in a.run("cat /root/.ssh/authorized_keys")


def test_member_sees_the_own_external_network_only(cloud, world):
    assert [n.project_id for n in cloud.network.networks(name="external")] == [cloud.current_project_id]


def test_addresses_and_default_route_come_from_neutron(world, a, b, cloud):
    assert a.run("ip -4 -o addr show eth0").split()[3] == "203.0.113.241/26"
    assert "2001:db8:46:f1::1/48" in a.run("ip -6 -o addr show eth0 scope global")
    assert a.run("ip -4 -o addr show eth1").split()[3] == "198.51.100.141/25"
    # the internal subnet has a gateway as well: only the first port's counts
    assert a.run("ip -4 route show default") == "default via 203.0.113.193 dev eth0"
    assert a.run("ip -6 route show default").startswith("default via 2001:db8:46::1 dev eth0")
    assert a.run("cat /sys/class/net/eth0/address") == cloud.network.get_port(a.ports["external"]).mac_address
    assert b.run("ip -6 -o addr show eth0 scope global") == ""  # a port with IPv4 alone


def test_boot_is_complete_and_nothing_serves_unasked(a):
    eventually(lambda: a.run("systemctl is-system-running || true"), "running", seconds=30)
    assert a.run("systemctl --failed --no-legend") == ""
    assert a.run("cat /run/cloud-init/cloud-id") == "configdrive"
    for unit in ("keepalived", "haproxy", "mariadb", "nftables"):
        assert a.run(f"systemctl is-enabled {unit} || true") == "disabled"
    listening = {line.split()[3].rsplit(":", 1)[1] for line in a.run("ss -Htln").splitlines()}
    assert listening == {"22", str(PORT)}


def test_zones_spread_and_anti_affinity_holds(world):
    servers = [world.cloud.compute.get_server(m.id) for m in world.machines.values()]
    assert sorted(s.availability_zone for s in servers) == ["dc1", "dc2", "dc3"]
    assert len({s.host_id for s in servers}) == 3


def test_zone_with_two_hypervisors_has_room_for_one_more_but_no_third(world, a, undo):
    def boot(name, address, expected):
        machine = world.boot(name, "dc1", {4: address}, None, group=world.apart.id, wait=False)
        undo(world.remove, name)
        eventually(lambda: world.status(machine), expected, 60, every=0.3)
        return world.cloud.compute.get_server(machine.id)

    assert boot("d", "203.0.113.244", "ACTIVE").host_id != world.cloud.compute.get_server(a.id).host_id
    assert "No valid host was found" in boot("e", "203.0.113.240", "ERROR").fault["message"]


def test_fourth_zone_and_the_newer_image(world, a, undo):
    newer = world.cloud.image.find_image("debian-12-next", ignore_missing=False)
    machine = world.boot("next", "dc4", {4: "203.0.113.246"}, None, group=world.apart.id, image=newer, wait=False)
    undo(world.remove, "next")
    machine.wait_booted()
    assert world.cloud.compute.get_server(machine.id).availability_zone == "dc4"
    assert machine.run("cat /etc/cloud/build.info") == "build_name: debian-12-next\nserial: 20261125"
    assert machine.run("cat /etc/debian_version") == a.run("cat /etc/debian_version")
    assert a.run("test -e /etc/cloud/build.info", check=False) == 1
    eventually(lambda: fetch("203.0.113.246"), machine.name, 30)


def test_disk_and_memory_are_the_flavors(a):
    assert 900 < int(a.run("df --output=size -m / | tail -n 1")) <= 1024
    assert "No space left on device" in a.run("fallocate -l 2G /fill 2>&1; rm -f /fill")


@pytest.mark.parametrize("address", ["203.0.113.241", "2001:db8:46:f1::1"])
def test_host_reaches_external_addresses(a, address):
    eventually(lambda: fetch(address, namespace="host"), a.name, 5)


def test_internal_networks_have_no_way_to_the_host(a):
    assert fetch("198.51.100.141", namespace="host") is None
    assert fetch("198.51.100.141") is None
    assert command("ip", "route", "show", "198.51.100.0/24").stdout.startswith("unreachable")


def test_console_shows_the_boot(world, a):
    from_nova = world.cloud.compute.get_server_console_output(a.id)["output"]
    for text in (from_nova, lab("console", "--project", "test", a.name)):
        assert "Welcome to Debian" in text
        assert "Cloud-init v." in text


def test_status_lists_the_machine(a):
    line = next(line for line in lab("status").splitlines() if line.startswith(a.name + " "))
    assert line.split()[1:5] == ["test", "dc1", "active", "running"]
    assert line.split()[5:] == ["198.51.100.141", "203.0.113.241", "2001:db8:46:f1::1"]
