import type { Pair } from "./change";

/** How a server comes to let another user in. */
export interface Login {
  /** Who can log in until then. */
  by: string;
  /** Of the last time; other ones when it is to be done. */
  words: string;
  due: boolean;
}

/** By id; of each server only what its own resources say, as a run may have been cut after any of them. */
export function loginsOf(user: string, pairs: readonly Pair[]): Record<string, Login> {
  return Object.fromEntries(
    pairs.flatMap(({ planned: { id }, standing }): [string, Login][] => {
      const { user: by, login: last } = standing;
      if (by !== undefined && by !== user) {
        const words = `${by} lets ${user} in`;
        // Pulumi runs a Command anew when its text changes, and somebody may have taken the user away meanwhile.
        return [[id, { by, words: last === words ? `${words}, again` : words, due: true }]];
      }
      return last === undefined ? [] : [[id, { by: user, words: last, due: false }]];
    }),
  );
}
