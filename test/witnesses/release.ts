import { copyFileSync, cpSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../../harness/cluster";
import { run } from "../../operate/exec";
import { ROOT } from "../../operate/lab/places";
import { temporaryFolder } from "../support/folder";

/** The tests' own release, which the witnesses ask; see release/wsgi.py. */
export const RELEASE = "witnessed";

const LINK = (path: string): string =>
  `ln -sfn ${path} /srv/app/next && mv -T /srv/app/next /srv/app/current && systemctl reload app`;

/** Deploys it on one application server after the other, as docs/build-a-cluster.md says. */
export async function deploy({ lab, appServers, facts }: Cluster): Promise<void> {
  const folder = temporaryFolder();
  try {
    cpSync(join(__dirname, "release"), folder.path, { recursive: true });
    copyFileSync(join(ROOT, "node", "app", "wsgi.py"), join(folder.path, "sample.py"));
    const release = await run("sh", ["-c", 'tar -C "$0" -c . | base64', folder.path]);
    for (const name of appServers) {
      const to = `/srv/app/releases/${RELEASE}`;
      const unpack = `mkdir -p ${to} && base64 -d | tar -x --no-same-owner -C ${to} && chmod -R a+rX ${to}`;
      const { code, stderr } = await lab.sshWithInput(name, `${unpack} && ${LINK(`releases/${RELEASE}`)}`, release);
      if (code !== 0) throw new Error(`${name} of ${facts.project}: ${stderr}`);
      await answers({ lab, facts }, name);
    }
  } finally {
    folder.remove();
  }
}

/** Back to the sample, which the other tests ask. */
export async function withdraw({ lab, appServers, facts }: Cluster): Promise<void> {
  for (const name of appServers) {
    await lab.on(name, LINK("releases/sample"));
    await answers({ lab, facts }, name);
  }
}

async function answers({ lab }: Pick<Cluster, "lab" | "facts">, name: string): Promise<void> {
  const ask = '. /etc/ha-cluster/app.env && /opt/ha-cluster/ask.sh http "$LISTEN_ADDRESS" "$LISTEN_PORT" /healthz';
  await lab.on(name, ask);
}
