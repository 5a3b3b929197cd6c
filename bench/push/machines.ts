import { createHash } from "node:crypto";
import type { Fleet } from "../../operate/fleet";
import { until } from "../../operate/poll";
import type { Target } from "./files";
import { type Variant, vary } from "./variant";

/** Fails unless every file on every machine is the variant's, to the byte and with its mode. */
export async function expectFiles(fleet: Fleet, machines: readonly Target[], variant: Variant): Promise<void> {
  const wrong = await Promise.all(
    machines.map(async ({ hostname, files }) => {
      const wanted = files.map((file) => line(vary(file, variant).text, file.mode, file.path));
      const script = `for file in ${files.map((file) => file.path).join(" ")}; do
        echo "$(sha256sum <"$file" | cut -d ' ' -f 1) 0$(stat -c '%a %U:%G' "$file") $file"
      done`;
      const found = (await fleet.must(hostname, script)).trim().split("\n");
      return wanted.filter((each) => !found.includes(each)).map((each) => `${hostname}: ${each.split(" ").at(-1)!}`);
    }),
  );
  const differ = wrong.flat();
  if (differ.length > 0) throw new Error(`not as variant "${variant}" has them: ${differ.join(", ")}`);
}

function line(text: string, mode: string, path: string): string {
  return `${createHash("sha256").update(text).digest("hex")} ${mode} root:root ${path}`;
}

/**
 * Every run starts alike: all load balancers have a state, none is under maintenance, and the VIPs are on the one that a rollout
 * changes last, so that each run hands them over once.
 */
export async function settle(fleet: Fleet): Promise<void> {
  const balancers = fleet.names("load-balancer");
  const home = balancers[0]!;
  await stable(fleet, balancers);
  const master = await masterOf(fleet, balancers);
  if (master !== home) {
    try {
      await fleet.must(master, ": >/run/ha-cluster/maintenance");
      await until(
        `the VIPs on ${home}`,
        () => masterOf(fleet, balancers),
        (name) => name === home,
      );
    } finally {
      await fleet.must(master, "rm -f /run/ha-cluster/maintenance");
    }
    await stable(fleet, balancers);
  }
}

/** Waits for one master and no maintenance mark. */
async function stable(fleet: Fleet, balancers: readonly string[]): Promise<void> {
  const script = "cat /run/ha-cluster/group-VG_1; [ ! -e /run/ha-cluster/maintenance ] || echo maintenance";
  await until(
    "one master, the others backup",
    async () =>
      (await Promise.all(balancers.map((name) => fleet.must(name, script)))).map((text) => text.trim()).sort(),
    (states) => states.join() === [...balancers.slice(1).map(() => "BACKUP"), "MASTER"].join(),
    { seconds: 60 },
  );
}

async function masterOf(fleet: Fleet, balancers: readonly string[]): Promise<string> {
  const states = await Promise.all(balancers.map((name) => fleet.must(name, "cat /run/ha-cluster/group-VG_1")));
  const masters = balancers.filter((_, index) => states[index]!.trim() === "MASTER");
  if (masters.length !== 1) throw new Error(`masters: ${masters.join(", ") || "none"}`);
  return masters[0]!;
}
