"""Control groups of both versions, names, the host's guard and the cache."""

import pytest

from cloudlab import settings
from cloudlab.agent.legs import outdated, project_of
from cloudlab.hypervisor import host, network
from cloudlab.hypervisor.cgroups import Cgroup
from cloudlab.hypervisor.machine import Config
from cloudlab.hypervisor.network import Nic
from cloudlab.install import cache
from cloudlab.neutron.model import AddressPair, Cloud, Port


def test_cgroup_v1_uses_every_controller_that_is_there(tmp_path):
    for controller in ("freezer", "memory", "systemd"):
        (tmp_path / controller).mkdir()
        (tmp_path / controller / "cgroup.procs").touch()
    (tmp_path / "cpuset").mkdir()
    group = Cgroup("m", root=tmp_path)
    joins = group.create()
    assert joins == [tmp_path / c / settings.CGROUP / "m/cgroup.procs" for c in ("freezer", "systemd", "memory")]
    group.remove()
    assert not any(folder.exists() for folder in group.folders())


def test_cgroup_v2_is_one_tree_with_a_memory_cap(tmp_path):
    (tmp_path / "cgroup.controllers").touch()
    group = Cgroup("m", root=tmp_path)
    folder = tmp_path / settings.CGROUP / "m"
    assert group.create() == [folder / "cgroup.procs"]
    (folder / "memory.max").touch()
    group.create(memory_mib=512)
    assert (folder / "memory.max").read_text() == str(512 * 1024 * 1024)
    (folder / "cgroup.events").write_text("populated 1\nfrozen 1\n")
    assert group.frozen()


def test_processes_of_a_missing_group_are_none(tmp_path):
    (tmp_path / "cgroup.controllers").touch()
    assert Cgroup("m", root=tmp_path).processes() == []


def test_interface_names_fit_the_kernel():
    uuid = "12345678-1234-1234-1234-123456789abc"
    names = [network.tap_name(uuid), network.bridge_name(uuid)]
    names += [p.host_interface + "-b" for p in settings.PROJECTS]
    names += [f"client-{p.client_interface}-b" for p in settings.PROJECTS]
    assert all(len(name) <= 15 for name in names)


def test_machine_config_survives_its_file():
    from dataclasses import asdict
    from json import dumps

    config = Config("lb1", "lb1", "instance-1", "p", "dc1-hv1", "/image", 512, [Nic("p", "n", "fa:16:3e:00:00:01")])
    assert Config.parse(dumps(asdict(config))) == config


@pytest.mark.parametrize("cidrs, project", [
    (["203.0.113.128/26"], "dev"), (["2001:db8:46::/48"], "test"), (["203.0.113.192/26", "2001:db8:46::/48"], "test"),
    (["198.51.100.0/25"], None), ([], None)])
def test_only_the_labs_own_external_networks_get_legs(cidrs, project):
    found = project_of(cidrs)
    assert (found.name if found else None) == project


@pytest.mark.parametrize("address, inside", [
    ("203.0.113.180", True), ("203.0.113.80", False),
    ("198.51.100.1", True), ("2001:db8:1::1", True), ("192.0.2.1", False), ("127.0.0.1", False),
    ("fe80::1%eth0", False)])
def test_guarded_ranges(address, inside):
    assert host.in_guarded_range(address) is inside


def test_projects_do_not_overlap_and_lie_in_the_guarded_ranges():
    from ipaddress import ip_address, ip_network

    subnets = [s for p in settings.PROJECTS for s in p.subnets]
    networks = [ip_network(s.cidr) for s in subnets]
    for i, one in enumerate(networks):
        assert host.in_guarded_range(str(one.network_address))
        assert not any(one.version == other.version and one.overlaps(other) for other in networks[i + 1:])
    for subnet, net in zip(subnets, networks):
        assert ip_address(subnet.gateway) in net
        assert ip_address(subnet.client) in net


def test_cache_keeps_what_was_used_last_or_is_needed():
    images = [(f"image-{n:012x}", float(n)) for n in range(8)]
    layers = [(f"layer-{n:012x}", float(n)) for n in range(5)]
    others = [("venv-aaaaaaaaaaaa", 0.0), ("schema-bbbbbbbbbbbb.tar.gz", 0.0), ("image-by-hand", 0.0), ("uv-1.0", 0.0)]
    gone = cache.superfluous(images + layers + others, needed=f"/cache/{layers[2][0]}:/cache/{images[1][0]}")
    assert gone == [images[n][0] for n in (3, 2, 0)] + [layers[0][0]]


def test_neighbour_entries_of_replaced_servers_are_outdated_and_moving_vips_are_not():
    one, two, gone, leg = "fa:16:3e:00:00:01", "fa:16:3e:00:00:02", "fa:16:3e:00:00:03", "02:00:00:00:00:01"
    vip = "203.0.113.100"
    cloud = Cloud(ports=[Port("1", one, ["203.0.113.11"], [AddressPair(one, vip)]),
                         Port("2", two, ["203.0.113.12"], [AddressPair(two, vip)])])
    neighbours = [("203.0.113.11", one), ("203.0.113.12", gone), ("203.0.113.13", gone), (vip, two),
                  ("203.0.113.1", leg), ("fe80::1", one)]
    assert outdated(neighbours, cloud, {leg}) == ["203.0.113.12", "203.0.113.13"]
    assert outdated([("203.0.113.11", two)], cloud, {leg}) == ["203.0.113.11"]  # an address that changed hands
