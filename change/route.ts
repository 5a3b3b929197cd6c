import type { Role } from "../plan/servers";
import type { Pair, PlannedServer } from "./change";

/** A load balancer or database that moves to another zone. */
export interface Step {
  planned: PlannedServer;
  /** Those of its kind that stand there when its turn comes: the zone needs room beside them. */
  beside: string[];
}

/** Of one kind, who moves when. */
export interface Route {
  /** As far as there is a way. */
  steps: Step[];
  /** Of those, the ones whose way is only open if a zone has room, which nobody has asked yet. */
  unasked: Step[];
  /** Those that can't move, as no zone that they want takes another one of their kind. */
  stuck: Step[];
}

/**
 * Whether a zone takes one more server of a kind beside those that stand there, by {@link roomOf}; what is not in it was not
 * asked.
 */
export type Rooms = Readonly<Record<string, boolean>>;

export function roomOf({ role, availabilityZone }: PlannedServer): string {
  return `${role} ${availabilityZone}`;
}

/** Kinds of which no two share a hypervisor. */
export const APART: readonly Role[] = ["load-balancer", "database"];

/**
 * In which order servers of one kind move. No two of them share a hypervisor, and each is deleted before it is made anew: so
 * each goes to a zone that the one there has left, and only where they all wait for each other does one go beside another
 * first, if that zone has room. Where nobody has asked yet, it is taken for having it.
 *
 * @param moves in the order in which they would go by themselves
 * @param at zones of all that stand of this kind, by id
 */
export function routeOf(moves: readonly PlannedServer[], at: ReadonlyMap<string, string>, rooms: Rooms): Route {
  const now = new Map(at);
  const there = ({ availabilityZone }: PlannedServer, where: ReadonlyMap<string, string>): string[] =>
    [...where].filter(([, zone]) => zone === availabilityZone).map(([id]) => id);
  /** How many it holds for certain, or may hold. */
  const holds = (node: PlannedServer, room: boolean): number => {
    const before = there(node, at).length;
    return before === 0 ? 1 : before + (room ? 1 : 0);
  };
  const fits = (node: PlannedServer, room: boolean): boolean => there(node, now).length < holds(node, room);
  const [steps, unasked]: [Step[], Step[]] = [[], []];
  const left = [...moves];
  while (left.length > 0) {
    const next =
      left.find((node) => fits(node, false)) ??
      left.find((node) => fits(node, rooms[roomOf(node)] === true)) ??
      left.find((node) => fits(node, rooms[roomOf(node)] ?? true));
    if (next === undefined) break;
    const step = { planned: next, beside: there(next, now) };
    if (!fits(next, rooms[roomOf(next)] === true)) unasked.push(step);
    steps.push(step);
    now.set(next.id, next.availabilityZone);
    left.splice(left.indexOf(next), 1);
  }
  return { steps, unasked, stuck: left.map((planned) => ({ planned, beside: there(planned, now) })) };
}

/** The same of all kinds, of what is to be replaced. */
export function routesOf(
  kept: readonly Pair[],
  replaced: readonly Pair[],
  zones: Readonly<Record<string, string>>,
  rooms: Rooms,
): Route {
  const at = new Map(kept.map(({ planned, standing }) => [planned, zones[planned.id] ?? standing.zone]));
  const routes = APART.map((role) => {
    const alike = [...at].filter(([planned]) => planned.role === role);
    const moves = replaced
      .map(({ planned }) => planned)
      .filter((node) => alike.some(([each, zone]) => each.id === node.id && zone !== node.availabilityZone));
    return routeOf(moves, new Map(alike.map(([{ id }, zone]) => [id, zone])), rooms);
  });
  return {
    steps: routes.flatMap(({ steps }) => steps),
    unasked: routes.flatMap(({ unasked }) => unasked),
    stuck: routes.flatMap(({ stuck }) => stuck),
  };
}

/** Those that move take each other's turns, in the order of their steps; all others keep theirs. */
export function inOrder<T>(all: readonly T[], steps: readonly Step[], idOf: (each: T) => string): T[] {
  const moving = steps.flatMap(({ planned }) => all.find((each) => idOf(each) === planned.id) ?? []);
  const ids = new Set(moving.map(idOf));
  return all.map((each) => (ids.has(idOf(each)) ? moving.shift()! : each));
}

/** In the order in which they are changed: whoever was sent away by a run that was cut comes last; see components/turns.ts. */
export function inTheirOrder<T extends { id: string }>(
  nodes: readonly T[],
  { route, returning }: { route: Route; returning: readonly string[] },
): T[] {
  const ordered = inOrder(nodes, route.steps, ({ id }) => id);
  const isBack = ({ id }: T): boolean => returning.includes(id);
  return [...ordered.filter((each) => !isBack(each)), ...ordered.filter(isBack)];
}
