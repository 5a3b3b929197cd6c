"""All of Nova in one process: API, conductor, scheduler and one nova-compute per hypervisor.

They talk over oslo.messaging's in-process transport (fake:/), so there is no message broker.
Usage: python -m cloudlab.nova.all_in_one PORT
"""

import os
import signal
import sys

from cloudlab import settings
from cloudlab.services.wsgi import serve

PORT = int(sys.argv[1])
sys.argv = ["nova-api"]

from nova.wsgi import osapi_compute  # noqa: E402  the first import of nova: reads nova.conf, chooses threads

import nova.conf  # noqa: E402
import nova.virt  # noqa: E402
import nova.virt.node  # noqa: E402
import os_vif  # noqa: E402
from nova import context, objects, policy, service  # noqa: E402
from nova.compute import rpcapi as compute_rpcapi  # noqa: E402
from nova.conductor import rpcapi as conductor_rpcapi  # noqa: E402
from nova.objects import host_mapping  # noqa: E402
from nova.scheduler import rpcapi as scheduler_rpcapi  # noqa: E402
from oslo_log import log as logging  # noqa: E402

from cloudlab.nova import driver, recovery  # noqa: E402

CONF = nova.conf.CONF
LOG = logging.getLogger("cloudlab.nova")
running = []


def start(host, binary, topic, topic_alt=None):
    CONF.set_override("host", host)
    try:
        one = service.Service.create(host=host, binary=binary, topic=topic, topic_alt=topic_alt)
        one.start()
    finally:
        CONF.clear_override("host")
    running.append(one)
    LOG.info("started %s on %s", binary, host)


def main():
    objects.register_all()
    os_vif.initialize()
    # Nova loads drivers from its own package only
    sys.modules["nova.virt.cloudlab"] = driver
    # the node identity file is one per state_path, and several computes share it here
    nova.virt.node.read_local_node_uuid = lambda: driver.node_uuid(CONF.host)
    # enforcers are built lazily and not thread-safely: the first parallel requests would get 403
    policy.init()

    recovery.bury_interrupted_builds()
    recovery.roll_back_interrupted_resizes()
    start(CONF.host, "nova-conductor", conductor_rpcapi.RPC_TOPIC)
    start(CONF.host, "nova-scheduler", scheduler_rpcapi.RPC_TOPIC)
    for host in (host for hosts in settings.HYPERVISORS.values() for host in hosts):
        start(host, "nova-compute", compute_rpcapi.RPC_TOPIC, compute_rpcapi.RPC_TOPIC_ALT)
    host_mapping.discover_hosts(context.get_admin_context(), None, lambda text: LOG.info("cells: %s", text))
    recovery.remove_orphans()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    serve(osapi_compute.application, PORT, threads=16)


def fatal(kind, value, trace):
    LOG.error("nova can't go on", exc_info=(kind, value, trace))
    os._exit(1)  # the services' threads would keep a dead API alive


sys.excepthook = fatal
main()
