import type { DeployedServer } from "./deployed";

/** Of what a killed run had begun, and nobody heard the end of. */
function unheard(words: string): string {
  return `${words} (cut)`;
}

/**
 * After what a server's configuration is pushed, so that it runs and is proved anew, although its files may be as they were.
 * Pulumi runs a Command anew when its text changes: once nothing new has happened, the words stay as they are.
 *
 * @param words what is to be done to the server before, or was done the last time
 */
export function afterOf(
  words: readonly string[],
  due: boolean,
  { cutFarewell, cutBetween, cutPush, after }: DeployedServer,
): string | undefined {
  const cut = [cutFarewell, cutBetween].flatMap((each) => (each === undefined ? [] : [unheard(each)]));
  const known = after?.split("; ") ?? [];
  if (!due && !cutPush && [...words, ...cut].every((each) => known.includes(each))) return after;
  const all = [...words, ...cut, ...(cutPush ? [unheard("a push")] : [])].join("; ");
  return all === after ? `${all}; again` : all;
}
