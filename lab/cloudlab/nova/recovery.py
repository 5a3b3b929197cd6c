"""After a crash of Nova: nothing may be stuck in a build or a resize, and no machine be left that Nova doesn't know.

All of Nova is one process here, so when it starts, whatever is still "being built" is being built by nobody.
"""

from nova import context as nova_context
from nova import exception, objects
from nova.compute import power_state, task_states, vm_states
from nova.conductor import manager as conductor
from nova.scheduler.client import report
from oslo_log import log as logging

from ..base.run import LabError
from ..hypervisor.machine import Machine, all_machines

LOG = logging.getLogger(__name__)


RESIZING = (task_states.RESIZE_PREP, task_states.RESIZE_MIGRATING, task_states.RESIZE_MIGRATED,
            task_states.RESIZE_FINISH, task_states.RESIZE_REVERTING)
# What a resize's record may say then; "reverted" it says a moment too early
UNFINISHED = ("pre-migrating", "migrating", "post-migrating", "finished", "reverting", "reverted")


class BuildInterrupted(exception.NovaException):
    msg_fmt = "Nova was stopped while it built this server. Delete it and create it anew."


def bury_interrupted_builds():
    """Give every server that never reached a hypervisor the state ERROR, so that clients stop waiting.

    Servers that had reached one are set to ERROR by nova-compute itself when it starts.
    """
    context = nova_context.get_admin_context()
    for request in objects.BuildRequestList.get_all(context):
        LOG.warning("server %s was never scheduled: set to ERROR", request.instance_uuid)
        try:
            spec = objects.RequestSpec.get_by_instance_uuid(context, request.instance_uuid)
            conductor.ComputeTaskManager()._bury_in_cell0(context, spec, BuildInterrupted(), build_requests=[request])
        except exception.NovaException:
            LOG.exception("server %s can't be set to ERROR", request.instance_uuid)
    for cell in objects.CellMappingList.get_all(context):
        with nova_context.target_cell(context, cell) as inside:
            building = {"vm_state": vm_states.BUILDING, "deleted": False}
            for instance in objects.InstanceList.get_by_filters(inside, building):
                if not instance.host:
                    LOG.warning("server %s reached no hypervisor: set to ERROR", instance.uuid)
                    instance.vm_state, instance.task_state = vm_states.ERROR, None
                    instance.save()


def roll_back_interrupted_resizes():
    """Every server is again what it was before its resize, and a confirmation that was cut off can be asked for again.

    nova-compute does so for one stage of the five, RESIZE_MIGRATING; the others it leaves stuck. It starts the servers.
    """
    context = nova_context.get_admin_context()
    for cell in objects.CellMappingList.get_all(context):
        with nova_context.target_cell(context, cell) as inside:
            for instance in objects.InstanceList.get_by_filters(
                    inside, {"task_state": list(RESIZING), "deleted": False}, expected_attrs=["flavor"]):
                LOG.warning("the resize of server %s was interrupted (%s): rolled back", instance.uuid,
                            instance.task_state)
                try:
                    _roll_back(inside, instance)
                    spec = objects.RequestSpec.get_by_instance_uuid(context, instance.uuid)
                    spec.flavor = instance.flavor
                    spec.save()
                except (exception.NovaException, LabError):
                    LOG.exception("the resize of server %s can't be rolled back", instance.uuid)
            for migration in objects.MigrationList.get_by_filters(inside, {"status": "confirming"}):
                migration.status = "finished"
                migration.save()


def _roll_back(context, instance):
    if instance.old_flavor:
        old = instance.old_flavor
        instance.flavor, instance.instance_type_id, instance.memory_mb = old, old.id, old.memory_mb
        instance.vcpus, instance.root_gb, instance.ephemeral_gb = old.vcpus, old.root_gb, old.ephemeral_gb
    if instance.task_state != task_states.RESIZE_PREP:
        Machine(instance.uuid).undo_resize(instance.flavor.memory_mb)
    resizes = objects.MigrationList.get_by_filters(context, {"instance_uuid": instance.uuid})
    migration = max(resizes, key=lambda m: m.id, default=None)
    if migration and migration.status in UNFINISHED:
        node = objects.ComputeNode.get_by_host_and_nodename(context, migration.source_compute, migration.source_node)
        instance.host, instance.node, instance.compute_id = node.host, node.hypervisor_hostname, node.id
        placement = report.report_client_singleton()
        if placement.get_allocations_for_consumer(context, migration.uuid):
            placement.move_allocations(context, migration.uuid, instance.uuid)
        migration.status = "error"
        migration.save()
    instance.vm_state = instance.system_metadata.pop("old_vm_state", instance.vm_state)
    if instance.vm_state == vm_states.ACTIVE:
        instance.power_state = power_state.RUNNING  # nova-compute starts what ought to run and doesn't
    instance.old_flavor = instance.new_flavor = instance.task_state = None
    instance.drop_migration_context()
    instance.save()


def remove_orphans():
    """Remove machines that belong to no server, and the half-made machines of servers whose build failed."""
    context = nova_context.get_admin_context()
    for machine in all_machines():
        instance = _instance(context, machine.uuid)
        if instance is None or (instance.vm_state == vm_states.ERROR and not instance.launched_at):
            LOG.warning("machine %s belongs to no finished server: removed", machine.uuid)
            machine.destroy()


def _instance(context, uuid):
    try:
        mapping = objects.InstanceMapping.get_by_instance_uuid(context, uuid)
        if not mapping.cell_mapping:
            return None
        with nova_context.target_cell(context, mapping.cell_mapping) as inside:
            return objects.Instance.get_by_uuid(inside, uuid)
    except (exception.InstanceMappingNotFound, exception.InstanceNotFound):
        return None
