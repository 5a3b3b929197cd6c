"""Called by supervise.sh before every boot: python -m cloudlab.hypervisor wire UUID."""

import sys

from . import network
from .machine import Machine

if len(sys.argv) != 3 or sys.argv[1] != "wire":
    sys.exit("usage: python -m cloudlab.hypervisor wire UUID")
machine = Machine(sys.argv[2])
network.wire(machine.ns, machine.config.nics)
