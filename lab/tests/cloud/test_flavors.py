"""Resizing, refused and failed ones too; quota. What a resize shows is what limits the machine, not Nova's word."""

import openstack
import openstack.exceptions
import pytest
from conftest import PREFIX, eventually, fetch, lab

from cloudlab.hypervisor.machine import Machine as Box

SMALL = {"memory": 2048, "disk": 10, "flavor": "m1.small"}
TINY = {"memory": 512, "disk": 1, "flavor": "m1.tiny"}
HOST_KEY = "cat /etc/ssh/ssh_host_ed25519_key.pub"


@pytest.fixture(scope="module")
def admin(cloud):
    return openstack.connect(cloud="lab-admin")


def size(world, machine):
    """Memory cap in MiB by the control group, disk in GiB by the machine, flavor by Nova."""
    group = Box(machine.id).cgroup
    caps = [f / name for f in group.folders() for name in ("memory.max", "memory.limit_in_bytes")]
    return {"memory": next(int(cap.read_text()) >> 20 for cap in caps if cap.exists()),
            "disk": round(int(machine.run("df --output=size -m / | tail -n 1")) / 1024),
            "flavor": world.cloud.compute.get_server(machine.id).flavor.name}


def resize(world, machine, flavor):
    world.cloud.compute.resize_server(machine.id, world.cloud.compute.find_flavor(flavor).id)


def settles(world, machine, status):
    """Wait until Nova is through, and see that it ends in this state."""
    def state():
        server = world.cloud.compute.get_server(machine.id)
        return server.task_state is None and server.status
    eventually(state, status, 40, every=0.2)


def ends_with(world, machine, action, message):
    """Wait until this is what was done last, and how it ended: Nova writes that after the server's state."""
    def last():
        done = next(iter(world.cloud.compute.server_actions(machine.id)))
        return done.action, done.message
    eventually(last, (action, message), 10)


def test_resized_server_is_larger_and_the_same(world, c):
    key = c.run(f"echo kept >/root/mark; {HOST_KEY}")
    assert size(world, c) == TINY
    resize(world, c, "m1.small")
    settles(world, c, "VERIFY_RESIZE")
    eventually(lambda: fetch("203.0.113.243"), c.name, 30)
    assert fetch("2001:db8:46:f3::1") == c.name
    assert size(world, c) == SMALL
    assert "Halting system" in lab("console", "--project", "test", c.name)
    world.cloud.compute.confirm_server_resize(c.id)
    settles(world, c, "ACTIVE")
    assert size(world, c) == SMALL
    assert c.run(f"cat /root/mark; {HOST_KEY}") == f"kept\n{key}"
    assert not Box(c.id).disk.kept.exists()


def test_smaller_disk_is_refused_and_nothing_happens(world, c):
    """Needs the server of the test before."""
    before = c.boot()
    resize(world, c, "m1.tiny")
    settles(world, c, "ACTIVE")
    ends_with(world, c, "resize", "Error")
    assert c.boot() == before
    assert size(world, c) == SMALL


def test_reverted_resize_brings_back_limits_and_disk(world, a):
    """In the zone with two hypervisors: the server may move, and comes back."""
    host = world.cloud.compute.get_server(a.id).host_id
    a.run("echo kept >/root/mark")
    resize(world, a, "m1.small")
    settles(world, a, "VERIFY_RESIZE")
    eventually(lambda: a.run("echo lost >/root/mark; sync", check=False), 0, 30)
    assert size(world, a) == SMALL
    world.cloud.compute.revert_server_resize(a.id)
    settles(world, a, "ACTIVE")
    eventually(lambda: fetch("203.0.113.241"), a.name, 30)
    assert size(world, a) == TINY
    assert a.run("cat /root/mark") == "kept"
    assert world.cloud.compute.get_server(a.id).host_id == host


def test_failed_resize_ends_in_error_and_a_hard_reboot_mends_it(world, b):
    b.run("echo kept >/root/mark")
    lab("fail", "--project", "test", b.name, "resize")
    resize(world, b, "m1.small")
    settles(world, b, "ERROR")
    assert "lab.sh fail" in world.cloud.compute.get_server(b.id).fault["message"]
    world.cloud.compute.reboot_server(b.id, "HARD")
    settles(world, b, "ACTIVE")
    eventually(lambda: fetch("203.0.113.242"), b.name, 30)
    assert size(world, b) == TINY
    assert b.run("cat /root/mark") == "kept"


def test_resize_to_what_no_hypervisor_has_leaves_the_server_alone(world, b, admin, undo):
    huge = admin.compute.create_flavor(name=PREFIX + "huge", vcpus=1, ram=1 << 20, disk=10)
    undo(admin.compute.delete_flavor, huge)
    before = b.boot()
    resize(world, b, huge.name)
    settles(world, b, "ACTIVE")
    ends_with(world, b, "resize", "Error")
    assert b.boot() == before


def test_quota_refuses_one_more_server(world, admin, undo):
    project = world.cloud.current_project_id
    undo(admin.set_compute_quotas, project, instances=-1)
    admin.set_compute_quotas(project, instances=len(list(world.cloud.compute.servers())))
    with pytest.raises(openstack.exceptions.ForbiddenException, match="Quota exceeded for instances"):
        world.cloud.compute.create_server(
            name=PREFIX + "many", image_id=world.image.id, flavor_id=world.flavor.id,
            networks=[{"uuid": world.external.id}])
