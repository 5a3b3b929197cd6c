"""Neutron's port binding, and its port security as nftables rules on the hypervisor's bridges."""
