import assert from "node:assert/strict";
import { test } from "node:test";
import type { Problem } from "../../../config/problems";
import type { Spec } from "../../../config/spec";
import { checkPlan } from "../../../plan/lint/check";
import { plan, type Plan, type PlannedLoadBalancer } from "../../../plan/plan";
import type { Backend, Frontend } from "../../../plan/haproxy";
import type { TrackScript, VrrpInstance } from "../../../plan/vrrp";
import { specOf, type Raw } from "../../support/specs";

/** A moment at which every certificate of the tests is valid. */
export const NOW = new Date("2026-12-01T00:00:00Z");

/** Whose plan has no part in common with itself, so that a change of one place is one. */
export function freshPlan(spec: Spec): Plan {
  return JSON.parse(JSON.stringify(plan(spec))) as Plan;
}

export function problemsOf(raw: Raw, mutate: (planned: Plan) => void = () => undefined, now = NOW): Problem[] {
  const spec = specOf(raw);
  const planned = freshPlan(spec);
  mutate(planned);
  return checkPlan(spec, planned, now);
}

/** Breaks a good plan in one way, and expects exactly one problem. */
export function breaking(title: string, raw: Raw, mutate: (planned: Plan) => void, path: string, cause: RegExp): void {
  test(title, () => {
    const problems = problemsOf(raw, mutate);
    assert.deepEqual(
      problems.map((problem) => problem.path),
      [path],
      problems.map((problem) => problem.cause).join("\n"),
    );
    assert.match(problems[0]!.cause, cause);
  });
}

export function balancer(planned: Plan, id: string): PlannedLoadBalancer {
  return found(planned.loadBalancers, "id", id);
}

export function instance(planned: Plan, id: string, name: VrrpInstance["name"]): VrrpInstance {
  return found(balancer(planned, id).syncGroup.instances, "name", name);
}

export function script(planned: Plan, id: string, name: string): TrackScript {
  return found(balancer(planned, id).syncGroup.scripts, "name", name);
}

export function frontend(planned: Plan, id: string, name: string): Frontend {
  return found(balancer(planned, id).haproxy.frontends, "name", name);
}

export function backend(planned: Plan, id: string, name: string): Backend {
  return found(balancer(planned, id).haproxy.backends, "name", name);
}

function found<T, Key extends keyof T>(items: T[], key: Key, value: T[Key]): T {
  const item = items.find((each) => each[key] === value);
  assert.ok(item, `no ${String(value)}`);
  return item;
}

/** Takes the items away for which `which` holds; there must be one. */
export function drop<T>(items: T[], which: (item: T) => boolean): void {
  const index = items.findIndex(which);
  assert.ok(index >= 0, "nothing to drop");
  items.splice(index, 1);
}
