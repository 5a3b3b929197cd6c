#!/usr/bin/env bash
# Runs one machine until it powers off: supervise.sh UUID FOLDER ROOT NETNS HOSTNAME. Lives outside Nova.
# In the environment: LAB_CGROUPS (cgroup.procs files to join), LAB_WIRE (the command that lays the machine's cables).
set -u

uuid=$1 folder=$2 root=$3 netns=$4 hostname=$5

for procs in $LAB_CGROUPS; do
  echo $$ >"$procs" || exit 1
done

# Without it /proc/sys/net is read-only in the machine and ip_forward can't be set.
export SYSTEMD_NSPAWN_API_VFS_WRITABLE=network

status=133
while [ "$status" = 133 ]; do # what nspawn says when the machine reboots
  $LAB_WIRE "$uuid" || exit 1
  systemd-nspawn --quiet --register=no --keep-unit --boot --directory="$root" --machine="lab-${uuid%%-*}" \
    --hostname="$hostname" --uuid="$uuid" --network-namespace-path="/run/netns/$netns" \
    --capability=CAP_NET_ADMIN,CAP_SYS_NICE,CAP_IPC_LOCK \
    --resolv-conf=off --timezone=off --link-journal=no --console=read-only systemd.show_status=1 </dev/null
  status=$?
done

# Powered off from inside: it is not to be started by the next `lab up`.
rm -f "$folder/on"
