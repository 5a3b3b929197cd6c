/**
 * What a witness prints, one JSON object a line, times in milliseconds since the epoch:
 *
 * - `opened`: its connection stands;
 * - `beats`: so many answers since the line before, and the longest silence before one of them, in milliseconds;
 * - `renewed`: the other side ended it between two requests and not in the middle of one, as HTTP allows; the next one is opened;
 * - `broke`: it ended otherwise, and why; the next one is opened;
 * - `refused`: it could not be opened, and why; it is tried again.
 */
export type Line = { witness: string; at: number } & (
  | { what: "opened" | "renewed" }
  | { what: "beats"; count: number; silence: number }
  | { what: "broke" | "refused"; error: string }
);

export interface Break {
  /** Milliseconds since the epoch. */
  at: number;
  error: string;
  /** How long it had been open, in milliseconds. */
  age: number;
  /** Milliseconds until another one stood; undefined when none ever did. */
  away?: number;
}

/** What one witness saw in its life. */
export interface Seen {
  witness: string;
  beats: number;
  renewed: number;
  breaks: Break[];
  refused: { at: number; error: string }[];
  /** The longest time without an answer while it was open, in milliseconds. */
  silence: number;
}

export class Tally {
  readonly seen: Seen;
  private since = 0;
  private open = false;

  constructor(witness: string) {
    this.seen = { witness, beats: 0, renewed: 0, breaks: [], refused: [], silence: 0 };
  }

  take(line: Line): void {
    const { seen } = this;
    switch (line.what) {
      case "opened": {
        const last = seen.breaks.at(-1);
        if (last !== undefined) last.away ??= line.at - last.at;
        [this.since, this.open] = [line.at, true];
        break;
      }
      case "renewed":
        seen.renewed++;
        this.open = false;
        break;
      case "beats":
        seen.beats += line.count;
        seen.silence = Math.max(seen.silence, line.silence);
        break;
      case "broke":
        this.breaks(line.at, line.error);
        break;
      case "refused":
        seen.refused.push({ at: line.at, error: line.error });
        break;
      default:
        line satisfies never;
    }
  }

  /** The process that was to watch has ended, and was not told to: whatever came after, it saw nothing of it. */
  lost(at: number, error: string): void {
    this.breaks(at, error);
  }

  private breaks(at: number, error: string): void {
    this.seen.breaks.push({ at, error, age: this.open ? at - this.since : 0 });
    this.open = false;
  }
}
