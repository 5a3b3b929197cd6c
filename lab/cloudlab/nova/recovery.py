"""After a crash of Nova: nothing may be stuck in BUILD, and no machine may be left that Nova doesn't know.

All of Nova is one process here, so when it starts, whatever is still "being built" is being built by nobody.
"""

from nova import context as nova_context
from nova import exception, objects
from nova.compute import vm_states
from nova.conductor import manager as conductor
from oslo_log import log as logging

from ..hypervisor.machine import all_machines

LOG = logging.getLogger(__name__)


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
