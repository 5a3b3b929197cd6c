"""Debian packages of the host."""

import os
import shutil

from ..base.lock import exclusive
from ..base.run import LabError, run
from ..settings import LOCK
from . import venv

# program that must be there -> the package that brings it
NEEDED = {
    "mariadbd": "mariadb-server-core",
    "mariadb": "mariadb-client-core",
    "my_print_defaults": "mariadb-client-core",
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "nft": "nftables",
    "ip": "iproute2",
    "ssh": "openssh-client",
    "gpg": "gpg",
    "curl": "curl",
    "nsenter": "util-linux",
    "mount": "mount",
    "mkfs.ext4": "e2fsprogs",
    "sysctl": "procps",
}
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def missing() -> list[str]:
    """The packages to install, in order."""
    packages = {package for program, package in NEEDED.items() if not shutil.which(program)}
    if not os.path.exists(KEYRING):
        packages.add("debian-archive-keyring")
    if not venv.has_ensurepip():
        packages.add("python3-venv")
    return sorted(packages)


def ensure(packages=None) -> list[str]:
    """Install `packages` (default: what is missing) and return their names."""
    packages = missing() if packages is None else packages
    if not packages:
        return []
    if not shutil.which("apt-get"):
        raise LabError(f"missing: {', '.join(packages)}. Install them by hand: this host has no apt-get")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # apt's own lock waits when told to; another apt-get may be at work on the host
    options = ("-qq", "-o", "DPkg::Lock::Timeout=300")
    with exclusive(LOCK.with_name("ha-cluster-apt.lock")):
        run("apt-get", *options, "update", env=env, check=False)
        run("apt-get", *options, "install", "-y", "--no-install-recommends", *packages, env=env)
    return packages
