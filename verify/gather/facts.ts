/** What was seen on one machine; see node/inspect/inspect.sh for each section. */
export interface MachineFacts {
  name: string;
  /** This machine's clock right before and right after the look, in seconds since 1970. */
  asked: { before: number; after: number };
  /** The machine's own, at the start of the look. */
  clock: { now: number; uptime: number };
  /** Whether it is a container, whose clock is its host's, and whether something keeps the clock. */
  sync: { container: boolean; synchronized: boolean };
  files: Map<string, FileFacts>;
  /** Names in /opt/ha-cluster. */
  scripts: string[];
  /** Files that pushes put there and that are missing. */
  ownedMissing: string[];
  /** Bundle of a push that was killed and not yet taken back. */
  interrupted?: string;
  /** First lines of the files in /run/ha-cluster. */
  marks: Map<string, string>;
  units: Map<string, UnitFacts>;
  /** When processes started, in seconds since 1970. */
  started: Map<number, number>;
  failedUnits: string[];
  /** Free and whole space, in KiB and in inodes. */
  disk: SpaceFacts[];
  inodes: SpaceFacts[];
  sysctls: Map<string, string>;
  /** `DEVICE ADDRESS/LENGTH` and `DEVICE GATEWAY`. */
  addresses: Set<string>;
  routes: Set<string>;
  /** Lines of diff between the file's rules and the loaded ones. */
  firewall: string[];
  packages: Map<string, string>;
  /** Load balancers only. */
  worker?: number;
  listeners: { endpoint: string; program: string }[];
  backends: { backend: string; server: string; status: string }[];
  /** `FILE:LINE:TEXT` that name a VIP in the operating system's own network configuration. */
  strayVips: string[];
  sysctlFiles: string[];
  /** Databases only. */
  galera: Map<string, string>;
}

export type FileFacts =
  | { state: "absent" }
  | { state: "other" }
  /** `text` where the content differs and is no secret; `changed` in seconds since 1970. */
  | { state: "present"; mode: string; owner: string; changed: number; same: boolean; text?: string };

export interface UnitFacts {
  loaded: boolean;
  active: string;
  enabled: string;
  needsDaemonReload: boolean;
  mainPid: number;
  /** Start or latest reload, in seconds since 1970. */
  changed: number;
}

export interface SpaceFacts {
  mount: string;
  total: number;
  free: number;
}

/** @throws when the answer was cut. */
export function parseFacts(name: string, output: string, asked: MachineFacts["asked"]): MachineFacts {
  const sections = sectionsOf(output);
  if (!sections.has("end")) throw new Error("the answer was cut off");
  const lines = (section: string): string[] => (sections.get(section) ?? []).filter((line) => line !== "");
  const words = (section: string): string[][] => lines(section).map((line) => line.split(/\s+/));
  const pairs = (section: string): Map<string, string> =>
    new Map(words(section).map(([key, ...rest]) => [key!, rest.join(" ")]));
  const [now = NaN, uptime = NaN] = words("clock")[0]?.map(Number) ?? [];
  const booted = now - uptime;
  const interrupted = lines("interrupted")[0];
  const worker = lines("worker")[0];
  return {
    name,
    asked,
    clock: { now, uptime },
    sync: { container: lines("sync")[0] !== "none", synchronized: lines("sync").includes("yes") },
    files: fileFacts(sections.get("files") ?? []),
    scripts: lines("scripts"),
    ownedMissing: lines("owned"),
    ...(interrupted === undefined ? {} : { interrupted }),
    marks: pairs("marks"),
    units: unitFacts(sections.get("units") ?? [], booted),
    started: new Map(words("started").map(([pid, seconds]) => [Number(pid), booted + Number(seconds)])),
    failedUnits: lines("failed"),
    disk: words("disk").map(space),
    inodes: words("inodes").map(space),
    sysctls: pairs("sysctls"),
    addresses: new Set(lines("addresses")),
    routes: new Set(lines("routes")),
    firewall: lines("firewall"),
    packages: new Map(
      words("packages").flatMap(([key, version, status]) => (status === "installed" ? [[key!, version!]] : [])),
    ),
    ...(worker === undefined ? {} : { worker: Number(worker) }),
    listeners: words("listeners").map(([endpoint, program]) => ({ endpoint: endpoint!, program: program ?? "" })),
    backends: words("backends").map(([backend, server, ...status]) => ({
      backend: backend!,
      server: server!,
      status: status.join(" "),
    })),
    strayVips: lines("strays"),
    sysctlFiles: lines("sysctlfiles"),
    galera: pairs("galera"),
  };
}

function sectionsOf(output: string): Map<string, string[]> {
  const sections = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of output.split("\n")) {
    if (line.startsWith("@")) sections.set(line.slice(1), (current = []));
    else current.push(line);
  }
  return sections;
}

function fileFacts(lines: readonly string[]): Map<string, FileFacts> {
  const files = new Map<string, FileFacts>();
  let last: FileFacts | undefined;
  for (const line of lines) {
    if (line.startsWith("|")) {
      if (last?.state === "present") last.text = `${last.text ?? ""}${line.slice(1)}\n`;
      continue;
    }
    const [path, mode, owner, changed, verdict] = line.split(" ");
    if (path === undefined || mode === undefined) continue;
    const facts: FileFacts =
      mode === "absent" || mode === "other"
        ? { state: mode }
        : { state: "present", mode, owner: owner!, changed: Number(changed), same: verdict === "same" };
    files.set(path, facts);
    last = facts;
  }
  return files;
}

/** Blocks of `systemctl show`, with an empty line between them. */
function unitFacts(lines: readonly string[], booted: number): Map<string, UnitFacts> {
  const blocks = lines.join("\n").split(/\n\n+/);
  return new Map(
    blocks.flatMap((block) => {
      const values = new Map([...block.matchAll(/^(\w+)=(.*)$/gm)].map(([, key, value]) => [key!, value!]));
      const id = values.get("Id");
      if (id === undefined) return [];
      const facts: UnitFacts = {
        loaded: values.get("LoadState") === "loaded",
        active: values.get("ActiveState") ?? "",
        enabled: values.get("UnitFileState") ?? "",
        needsDaemonReload: values.get("NeedDaemonReload") === "yes",
        mainPid: Number(values.get("MainPID") ?? 0),
        changed: booted + Number(values.get("StateChangeTimestampMonotonic")) / 1e6,
      };
      return [[id, facts] as const];
    }),
  );
}

function space([mount, total, free]: string[]): SpaceFacts {
  return { mount: mount!, total: Number(total), free: Number(free) };
}
