"""The embedded cloud: real OpenStack APIs on loopback whose servers are systemd-nspawn machines."""
