import type { Haproxy } from "../plan/haproxy";

/** /etc/ha-cluster/probes: what node/probe.sh asks after a push, "ADDRESS PORT http|https|tcp [CERTIFICATE]". */
export function renderProbes({ frontends, metrics: { address, port } }: Haproxy): string {
  const lines = frontends.flatMap(({ mode, binds }) =>
    binds.map((each) =>
      [each.address, each.port, ...(each.certificate ? ["https", each.certificate] : [mode])].join(" "),
    ),
  );
  return [...lines, `${address} ${port} http`].map((line) => `${line}\n`).join("");
}
