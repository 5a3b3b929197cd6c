/**
 * What the client process is told, as JSON in its one argument, and what it prints: one JSON line per batch, rows instead of
 * objects, because at 800 attempts a second an object each would cost more than the requests.
 */
export interface Orders {
  targets: ClientTarget[];
  perSecond: number;
  /** Milliseconds after which an attempt has failed. */
  timeout: number;
}

export interface ClientTarget {
  url: string;
  /** PEM text. */
  ca?: string;
  servername?: string;
  status: number;
  contains?: string;
}

/** Index of the target; when it was due; how much later it was sent; until the answer was complete; the error, if any. */
export type Row = [target: number, at: number, late: number, milliseconds: number, error?: string];

export interface Batch {
  rows: Row[];
  /** Seconds of processor time the client has used so far. */
  cpu: number;
}
