"""Nova's virt driver: an instance is a systemd-nspawn machine.

What is not here is refused by policy.yaml before it reaches the driver (migrate, snapshot, volumes, …).
"""

import uuid
from typing import ClassVar

import os_resource_classes as resource_classes
from nova import conf, exception
from nova.api.metadata import base as metadata
from nova.compute import power_state
from nova.objects import fields
from nova.virt import configdrive, driver, hardware, netutils
from oslo_log import log as logging

from .. import settings
from ..base.run import LabError
from ..hypervisor import network
from ..hypervisor.machine import Config, Machine, all_machines
from ..hypervisor.network import Nic
from ..install import image
from .network_data import static_networks

LOG = logging.getLogger(__name__)
SEED = "/var/lib/cloud/seed/config_drive/"  # where cloud-init looks for a config drive that is no drive
LONGEST_GRACE = 20  # seconds a machine gets to halt before the plug is pulled
# What one hypervisor claims to have, so that the scheduler, not the host's size, decides: vCPUs, MiB, GiB.
CAPACITY = {resource_classes.VCPU: 64, resource_classes.MEMORY_MB: 262144, resource_classes.DISK_GB: 4000}


def node_uuid(host):
    """A hypervisor's identity: always the same for the same name."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, host))


class Driver(driver.ComputeDriver):
    capabilities: ClassVar = {
        **driver.ComputeDriver.capabilities,
        "supports_attach_interface": True,
        "supports_image_type_raw": True,
    }

    def init_host(self, host):
        self._host = host

    # ---- what the hypervisor has

    def get_available_nodes(self, refresh=False):
        return [self._host]

    def get_nodenames_by_uuid(self, refresh=False):
        return {node_uuid(self._host): self._host}

    def get_available_resource(self, nodename):
        mine = [m.config for m in self._machines()]
        return {
            "uuid": node_uuid(nodename),
            "hypervisor_hostname": nodename,
            "hypervisor_type": "systemd-nspawn",
            "hypervisor_version": 1,
            "vcpus": CAPACITY[resource_classes.VCPU],
            "memory_mb": CAPACITY[resource_classes.MEMORY_MB],
            "local_gb": CAPACITY[resource_classes.DISK_GB],
            "vcpus_used": 0,
            "memory_mb_used": sum(c.memory_mib for c in mine),
            "local_gb_used": 0,
            "disk_available_least": 0,
            "cpu_info": "{}",
            "numa_topology": None,
            "supported_instances": [(fields.Architecture.X86_64, fields.HVType.LXC, fields.VMMode.EXE)],
        }

    def update_provider_tree(self, provider_tree, nodename, allocations=None):
        ratios = self._get_allocation_ratios(provider_tree.data(nodename).inventory)
        provider_tree.update_inventory(nodename, {
            kind: {"total": total, "min_unit": 1, "max_unit": total, "step_size": 1, "reserved": 0,
                   "allocation_ratio": ratios[kind]}
            for kind, total in CAPACITY.items()
        })

    def get_host_ip_addr(self):
        return conf.CONF.my_ip

    # ---- what is there

    def _machines(self):
        return [m for m in all_machines() if m.defined and m.config.compute_host == self._host]

    def list_instances(self):
        return [m.config.instance_name for m in self._machines()]

    def list_instance_uuids(self):
        return [m.uuid for m in self._machines()]

    def instance_exists(self, instance):
        return Machine(instance.uuid).defined

    def get_info(self, instance, use_cache=True):
        machine = self._find(instance)
        if not machine.running():
            state = power_state.SHUTDOWN
        else:
            state = power_state.PAUSED if machine.cgroup.frozen() else power_state.RUNNING
        return hardware.InstanceInfo(state=state)

    def get_console_output(self, context, instance):
        return Machine(instance.uuid).console().encode()

    def _find(self, instance):
        machine = Machine(instance.uuid)
        if not machine.defined:
            raise exception.InstanceNotFound(instance_id=instance.uuid)
        return machine

    # ---- life and death

    def spawn(self, context, instance, image_meta, injected_files, admin_password, allocations, network_info=None,
              block_device_info=None, power_on=True, accel_info=None):
        built_from = _image(image_meta)
        hostname = instance.hostname or f"host-{instance.uuid}"
        machine = Machine(instance.uuid)
        config = Config(
            name=instance.display_name, hostname=hostname, instance_name=instance.name, project=instance.project_id,
            compute_host=self._host, image=built_from, memory_mib=instance.flavor.memory_mb,
            nics=_nics(network_info),
        )
        files = _config_drive(instance, injected_files, admin_password, network_info)
        files += [
            ("/etc/hostname", hostname + "\n", 0o644),
            ("/etc/machine-id", instance.uuid.replace("-", "") + "\n", 0o444),
            ("/etc/ssh/lab_authorized_keys", settings.SSH_KEY.with_suffix(".pub").read_text(), 0o644),
        ]
        try:
            machine.define(config, _disk_gib(instance.flavor), files)
            if power_on:
                machine.start()
        except Exception:
            machine.destroy()
            raise

    def destroy(self, context, instance, network_info, block_device_info=None, destroy_disks=True,
                destroy_secrets=True):
        machine = Machine(instance.uuid)
        machine.destroy() if destroy_disks else machine.stop()

    def cleanup(self, context, instance, network_info, block_device_info=None, destroy_disks=True,
                migrate_data=None, destroy_vifs=True, destroy_secrets=True):
        if destroy_disks:
            Machine(instance.uuid).destroy()

    # ---- power

    def power_off(self, instance, timeout=0, retry_interval=0):
        Machine(instance.uuid).stop(grace=min(timeout, LONGEST_GRACE))

    def power_on(self, context, instance, network_info, block_device_info=None, accel_info=None, share_info=None):
        machine = self._find(instance)
        config = machine.config
        config.compute_host, config.memory_mib = self._host, instance.flavor.memory_mb
        if network_info:
            config.nics = _nics(network_info)
        machine.save(config)
        machine.start()

    def resume_state_on_host_boot(self, context, instance, network_info, share_info, block_device_info=None):
        self.power_on(context, instance, network_info)

    def reboot(self, context, instance, network_info, reboot_type, block_device_info=None,
               bad_volumes_callback=None, accel_info=None, share_info=None):
        machine = self._find(instance)
        if reboot_type == "SOFT" and machine.guest_reboot():
            return
        machine.stop()
        self.power_on(context, instance, network_info)

    def pause(self, instance):
        self._find(instance).cgroup.freeze(True)

    def unpause(self, instance):
        self._find(instance).cgroup.freeze(False)

    # ---- resize

    def check_instance_shared_storage_local(self, context, instance):
        """Yes: else Nova would delete the disk when it takes a resize back."""
        return {"machine": instance.uuid}

    def check_instance_shared_storage_remote(self, context, data):
        return Machine(data["machine"]).defined

    def migrate_disk_and_power_off(self, context, instance, dest, flavor, network_info, block_device_info=None,
                                   timeout=0, retry_interval=0):
        """Off, with a copy of the disk to go back to; what fails here leaves the server as it was."""
        if _disk_gib(flavor) < _disk_gib(instance.flavor):
            raise _refused(f"the disk is {instance.flavor.root_gb} GiB and can't become smaller")
        machine = self._find(instance)
        machine.end_resize()  # one that was given up must leave nothing to go back to
        ran = machine.running()
        try:
            self.power_off(instance, timeout)
            machine.keep_disk()
        except (LabError, OSError) as error:
            if ran:
                self.power_on(context, instance, network_info)
            raise _refused(str(error)) from error
        return "[]"

    def finish_migration(self, context, migration, instance, disk_info, network_info, image_meta, resize_instance,
                         allocations, block_device_info=None, power_on=True, share_info=None):
        machine = self._find(instance)
        try:
            machine.resize(instance.flavor.memory_mb, _disk_gib(instance.flavor))
            if power_on:
                self.power_on(context, instance, network_info)
        except Exception as error:
            # Nova goes back to the old flavor as well, in state ERROR; a hard reboot starts it
            machine.undo_resize(instance.old_flavor.memory_mb)
            raise exception.ResizeError(reason=str(error)) from error

    def confirm_migration(self, context, migration, instance, network_info):
        self._find(instance).end_resize()

    def finish_revert_migration(self, context, instance, network_info, migration, block_device_info=None,
                                power_on=True, share_info=None):
        self._find(instance).undo_resize(instance.flavor.memory_mb)
        if power_on:
            self.power_on(context, instance, network_info)

    # ---- cables

    def plug_vifs(self, instance, network_info):
        """Cables are laid at every boot of the machine."""

    def unplug_vifs(self, instance, network_info):
        """Cables go with the machine's power."""

    def attach_interface(self, context, instance, image_meta, vif):
        machine = self._find(instance)
        with machine.locked():
            config = machine.config
            nic = _nics([vif])[0]
            if nic not in config.nics:
                config.nics.append(nic)
                machine.save(config)
            if machine.running():
                network.plug(nic, config.nics.index(nic), machine.ns)

    def detach_interface(self, context, instance, vif):
        machine = self._find(instance)
        with machine.locked():
            config = machine.config
            config.nics = [nic for nic in config.nics if nic.port != vif["id"]]
            machine.save(config)
            network.unplug(vif["id"])


def _nics(network_info):
    return [Nic(port=vif["id"], network=vif["network"]["id"], mac=vif["address"]) for vif in network_info or []]


def _disk_gib(flavor):
    return max(flavor.root_gb, 1)


def _refused(reason):
    """The resize ends with this fault, and the server is what it was."""
    return exception.InstanceFaultRollback(exception.ResizeError(reason=reason))


def _image(image_meta):
    """Which folders the image stands for."""
    checksum = image_meta.checksum if image_meta and image_meta.obj_attr_is_set("checksum") else None
    if not (name := image.by_checksum(checksum)):
        raise LabError(f"the lab boots only its own images: {', '.join(settings.IMAGES)}")
    return image.lower(name)


def _config_drive(instance, injected_files, admin_password, network_info):
    """Nova's own config drive, file by file."""
    for vif in network_info or []:
        vif.fixed_ips()  # waits for the network's allocation, and raises its error
    network_metadata = netutils.get_network_metadata(network_info or [])
    if network_metadata:
        vifs = [vif for vif in network_info if vif["network"].get("subnets")]
        network_metadata["networks"] = static_networks(
            [_plain(vif) for vif in vifs], [link["id"] for link in network_metadata["links"]])
    extra = {"admin_pass": admin_password} if admin_password else {}
    content = metadata.InstanceMetadata(instance, content=injected_files or [], extra_md=extra,
                                        network_info=network_info, network_metadata=network_metadata)
    return [(SEED + path, data, 0o600) for path, data in configdrive.ConfigDriveBuilder(content).mdfiles]


def _plain(vif):
    """A port of Nova's network model as static_networks wants it."""
    return {"network": {"id": vif["network"]["id"], "subnets": [
        {"version": s["version"], "cidr": str(s["cidr"]), "gateway": s["gateway"], "ips": s["ips"],
         "routes": s["routes"], "dns": s["dns"]} for s in vif["network"]["subnets"]]}}
