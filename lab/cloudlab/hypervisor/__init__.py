"""Machines: systemd-nspawn containers with a disk, a network namespace and a cgroup each. Standard library only."""
