import { EFFECTS } from "./effects";

/** The effects as a table of Markdown, in the order of the keys in docs/configuration.md. */
export function effectTable(): string {
  const rows = Object.entries(EFFECTS).map(([key, { effect, words }]) => `| \`${key}\` | ${effect} | ${words} |`);
  return ["| key | effect | what to know |", "| --- | --- | --- |", ...rows].join("\n");
}
