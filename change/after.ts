import type { Rollout } from "./rollout";

/** What is pushed to a machine before its configuration, in this order; of those that we made no adoption. */
export const OTHER_PUSHES = ["scripts", "adoption", "secrets"] as const;

export type OtherPush = (typeof OTHER_PUSHES)[number];

/**
 * After what a server is pushed to, so that it runs and is proved anew, although what is pushed may be as it was. Pulumi runs a
 * Command anew when its text changes: once nothing new has happened, the words stay as they are.
 *
 * @param said the last time
 * @param words what is to be done to the server before, or was done the last time
 * @param rollout the last one: if it did not come to its end, nobody knows what has arrived
 */
export function afterOf(
  said: string | undefined,
  words: readonly string[],
  due: boolean,
  { number, ended }: Pick<Rollout, "number" | "ended">,
): string | undefined {
  const known = said?.split("; ") ?? [];
  const wanted = ended ? words : [...words, cut(number)];
  if (!due && wanted.every((each) => known.includes(each))) return said;
  const all = wanted.join("; ");
  return all === said ? `${all}; again` : all;
}

export function cut(number: number): string {
  return `rollout ${number} was cut`;
}
