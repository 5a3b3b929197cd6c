"""Puts a ruleset into the hypervisor's namespace, in one transaction."""

import json

from ..base.run import run
from ..hypervisor.network import in_namespace
from ..settings import HYPERVISOR_NS

PORT_CHAINS = ("o_", "i_", "s_")  # deleted in this order: `o_` refers to `s_`
EMPTY = "table bridge lab { }\n"


def transaction(text: str, present: list[str]) -> str:
    """Rules out, the ports' chains out, rules in; the sets of accepted flows stay."""
    gone = [chain for prefix in PORT_CHAINS for chain in present if chain.startswith(prefix)]
    return EMPTY + "flush table bridge lab\n" + "".join(f"delete chain bridge lab {chain}\n" for chain in gone) + text


def present_chains() -> list[str]:
    listed = run(*in_namespace(HYPERVISOR_NS), "nft", "-j", "list", "chains", "bridge", check=False)
    items = json.loads(listed.stdout or "{}").get("nftables", [])
    return [item["chain"]["name"] for item in items if item.get("chain", {}).get("table") == "lab"]


def apply(text: str) -> None:
    """Raises CommandFailed with nft's own words; then the rules before stay in force."""
    run(*in_namespace(HYPERVISOR_NS), "nft", "-f", "-", text_in=transaction(text, present_chains()))
