import type { Problem } from "../../config/problems";
import type { Haproxy } from "../haproxy";
import type { Plan, PlannedLoadBalancer } from "../plan";
import type { HaproxyTimers } from "../timers";
import type { TrackScript } from "../vrrp";
import { contradiction, onEach } from "./report";

const FILE = "plan/timers.ts";

/** Seconds within which any one fault is noticed: about as long as somebody waits for a page. */
export const GOAL = 10;

/** Seconds that haproxy's socket may be without an answer while a reload hands it from one worker to the next. */
export const RELOAD = 1;

/** A relation between timers, and why it has to hold. */
interface Rule<T> {
  name: string;
  why: string;
  /** Seconds; the first must not exceed the second. */
  most: (timers: T) => [seconds: number, what: string, limit: number, limitWhat: string];
}

/** keepalived.conf(5), vrrp_script: `interval` counts from one start to the next, and a run that still lasts is not started again. */
const SCRIPT_RULES: Rule<TrackScript>[] = [
  {
    name: "a run skips one turn at most",
    why: "keepalived starts no second run of a script while one is under way, so a long one hides what happens meanwhile",
    most: ({ timeout, interval }) => [timeout, "timeout", 2 * interval, "2 × interval"],
  },
  {
    name: "a fault moves the VIPs within the goal",
    why: "while a script hangs, clients of the load balancer get no answer",
    most: ({ timeout, interval, fall }) => [
      interval + fall * Math.max(timeout, interval),
      "interval + fall × timeout",
      GOAL,
      "the goal",
    ],
  },
];

/** For the script that asks haproxy alone. */
const HAPROXY_SCRIPT_RULES: Rule<TrackScript & { backend: HaproxyTimers }>[] = [
  {
    name: "a reload is no fault",
    why: "otherwise every push of haproxy.cfg moves the VIPs",
    most: ({ fall, interval }) => [RELOAD, "a reload", (fall - 1) * interval, "(fall - 1) × interval of the script"],
  },
  {
    name: "a server goes before a load balancer does",
    why: "a pause that hits both must cost one server, not all connections",
    most: ({ backend, fall, interval }) => [
      backend.fall * backend.inter,
      "haproxy's fall × inter",
      fall * interval,
      "the script's fall × interval",
    ],
  },
];

/**
 * haproxy's configuration manual, `timeout check`: a check's connection has the shorter of `timeout connect` and `inter`, its
 * answer has `timeout check`, and `inter` passes before the next one. So `timeout connect` may be longer than `inter`.
 */
const HAPROXY_RULES: Rule<HaproxyTimers>[] = [
  {
    name: "a check ends before the verdict of a refused one",
    why: "haproxy starts no second check of a server while one is under way",
    most: ({ check, inter, fall }) => [check, "timeout check", fall * inter, "fall × inter"],
  },
  {
    name: "a server that hangs goes within the goal",
    why: "until then it gets its share of the requests",
    most: ({ check, inter, fall }) => [fall * (inter + check), "fall × (inter + timeout check)", GOAL, "the goal"],
  },
  {
    name: "a request outlives the server that it met first",
    why: "the last retry goes to another server (option redispatch), which has to be known as down by then",
    most: ({ fall, inter, connect, retries }) => [
      fall * (inter + Math.min(connect, inter)),
      "fall × (inter + the check's connection)",
      retries * connect,
      "retries × timeout connect",
    ],
  },
  {
    name: "a request is read before its client is given up",
    why: "`timeout client` would otherwise end it without the answer 408",
    most: ({ httpRequest, client }) => [httpRequest, "timeout http-request", client, "timeout client"],
  },
  {
    name: "an idle connection is kept no longer than a busy one",
    why: "`timeout client` ends it anyway",
    most: ({ httpKeepAlive, client }) => [httpKeepAlive, "timeout http-keep-alive", client, "timeout client"],
  },
];

/** A connection from the frontend that takes it to the backend that it leads to. */
interface Passage {
  client: number;
  server: number;
  hardStopAfter: number;
}

const PASSAGE_RULES: Rule<Passage>[] = [
  {
    name: "a reload cuts nothing that its timeouts allow",
    why: "the old process ends after hard-stop-after, with the connections that it still has",
    most: ({ client, server, hardStopAfter }) => [
      Math.max(client, server),
      "the longer of timeout client and timeout server",
      hardStopAfter,
      "hard-stop-after",
    ],
  },
  {
    name: "a client waits as long as its server may take",
    why: "haproxy's manual wants both alike: the shorter one ends a connection that the other one still allows",
    most: ({ client, server }) => [server, "timeout server", client, "timeout client"],
  },
  {
    name: "a server is kept as long as its client",
    why: "haproxy's manual wants both alike: the shorter one ends a connection that the other one still allows",
    most: ({ client, server }) => [client, "timeout client", server, "timeout server"],
  },
];

const DATABASE_RULES: Rule<{ inter: number; fastInter: number; timers: HaproxyTimers }>[] = [
  {
    name: "a doubtful database is looked at more often",
    why: "fastinter replaces inter from the first answer that is not the expected one",
    most: ({ inter, fastInter }) => [fastInter, "fastinter", inter, "inter"],
  },
  {
    name: "a database that hangs goes within the goal",
    why: "all writes go to it until then",
    most: ({ inter, fastInter, timers: { check, fall } }) => [
      inter + check + (fall - 1) * (fastInter + check),
      "inter + timeout check + (fall - 1) × (fastinter + timeout check)",
      GOAL,
      "the goal",
    ],
  },
];

/** Timers of different daemons that work against each other. */
export function* checkTimers(planned: Plan): Iterable<Problem> {
  yield* onEach(planned, function* ({ syncGroup, haproxy }) {
    for (const script of syncGroup.scripts) {
      yield* check(SCRIPT_RULES, `keepalived's script ${script.name}`, script);
      if (script.name !== "haproxy") continue;
      yield* check(HAPROXY_SCRIPT_RULES, "keepalived's script haproxy", { ...script, backend: haproxy.timers });
    }
    yield* check(HAPROXY_RULES, "haproxy", haproxy.timers);
    for (const backend of haproxy.backends) {
      if (backend.check.kind !== "galera") continue;
      yield* check(DATABASE_RULES, `haproxy's backend ${backend.name}`, { ...backend.check, timers: haproxy.timers });
    }
    for (const [where, passage] of passages(haproxy)) yield* check(PASSAGE_RULES, where, passage);
  });
}

function* check<T>(rules: Rule<T>[], where: string, timers: T): Iterable<Problem> {
  for (const { name, why, most } of rules) {
    const [seconds, what, limit, limitWhat] = most(timers);
    if (seconds <= limit) continue;
    const cause = `${where} breaks “${name}”: ${what} (${seconds} s) exceeds ${limitWhat} (${limit} s); ${why}`;
    yield contradiction("(timers)", cause, FILE);
  }
}

function passages({ frontends, backends, timers }: Haproxy): [where: string, passage: Passage][] {
  const servers = new Map(backends.map((backend) => [backend.name, backend.serverTimeout ?? timers.server]));
  return frontends.flatMap(({ name, clientTimeout = timers.client, rules }) => {
    const targets = rules.flatMap(({ action }) => ("backend" in action ? [action.backend] : []));
    return [...new Set(targets)].flatMap((target): [string, Passage][] => {
      const server = servers.get(target);
      const where = `haproxy's frontend ${name} to backend ${target}`;
      return server === undefined
        ? []
        : [[where, { client: clientTimeout, server, hardStopAfter: timers.hardStopAfter }]];
    });
  });
}

/** A choice of timers that works, but makes a lost load balancer last longer than any other fault. */
export function* warnTimers({ loadBalancers }: Plan): Iterable<Problem> {
  const slowest = Math.max(...loadBalancers.map(downAfter));
  if (slowest <= GOAL) return;
  yield {
    path: "vrrp.advertInterval",
    cause: `the loss of a load balancer is noticed only after ${slowest.toFixed(1)} s, three adverts and the skew; what health checks find, within ${GOAL} s`,
    mend: "write 1 or 2, or a fraction such as 0.2 for a faster failover",
  };
}

/** Seconds without an advert until this backup takes over: RFC 3768 section 6.1, RFC 5798 section 6.1 (Master_Down_Interval). */
function downAfter({ syncGroup }: PlannedLoadBalancer): number {
  const each = syncGroup.instances.map(({ priority, advertInterval, version }) => {
    const skew = ((256 - priority) / 256) * (version === 2 ? 1 : advertInterval);
    return 3 * advertInterval + skew;
  });
  return Math.max(...each);
}
