#!/usr/bin/env bash
# Builds the machines' image: build.sh TARGET SUITE. Run in a mount namespace of its own.
# HA_CLUSTER_DEBIAN_MIRROR: where to take Debian from, when the official mirrors can't be reached.
set -euo pipefail

target=$1 suite=$2
here=$(cd "$(dirname "$0")" && pwd)

packages=$(grep -v '^#' "$here/packages.txt" | paste -sd,)
# Machines live for hours: no documentation, and no fsync while the image is built.
mmdebstrap --quiet --mode=root --variant=minbase \
  --aptopt='Acquire::Check-Valid-Until "false"' \
  --aptopt='APT::Install-Recommends "false"' \
  --dpkgopt=force-unsafe-io \
  --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --include="$packages" \
  "$suite" "$target" ${HA_CLUSTER_DEBIAN_MIRROR:+"$HA_CLUSTER_DEBIAN_MIRROR"}

# Installed, but started only by whoever configures them.
for unit in keepalived haproxy mariadb nftables garb rsync gunicorn; do
  chroot "$target" systemctl disable --quiet "$unit.service" 2>/dev/null || true
done
# What only takes time in a container, or never ends there.
for unit in systemd-udevd.service systemd-modules-load.service systemd-timesyncd.service systemd-resolved.service \
  systemd-networkd-wait-online.service getty@tty1.service console-getty.service cloud-init-hotplugd.socket \
  e2scrub_reap.service e2scrub_all.timer fstrim.timer apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
  man-db.timer logrotate.timer; do
  ln -sfn /dev/null "$target/etc/systemd/system/$unit"
done

# Identity belongs to the machine, not to the image.
rm -f "$target"/etc/ssh/ssh_host_* "$target/etc/hostname" "$target/etc/network/interfaces"
: >"$target/etc/machine-id"
: >"$target/etc/resolv.conf"
mkdir -p "$target/etc/network/interfaces.d"

cp -r "$here/files/." "$target/"
chmod -R u=rwX,go=rX "$target/etc/cloud/cloud.cfg.d" "$target/etc/ssh/sshd_config.d" \
  "$target/etc/systemd/journald.conf.d" "$target/etc/network"
