import type { Line } from "./lines";

/** One witness's own word, in lines for whoever started it. */
export class Reporter {
  private count = 0;
  private silence = 0;
  private last = 0;
  private open = false;
  private readonly telling: NodeJS.Timeout;

  constructor(
    private readonly witness: string,
    private readonly print: (line: Line) => void,
  ) {
    this.telling = setInterval(() => this.flush(), TELL);
  }

  get isOpen(): boolean {
    return this.open;
  }

  opened(): void {
    this.open = true;
    this.last = performance.now();
    this.tell({ what: "opened" });
  }

  /** An answer, or a part of one, has come. */
  beat(): void {
    const now = performance.now();
    this.count++;
    this.silence = Math.max(this.silence, Math.round(now - this.last));
    this.last = now;
  }

  renewed(): void {
    this.end({ what: "renewed" });
  }

  /** Its connection has ended as it should not have, or was not to be had. */
  failed(error: string): void {
    this.end({ what: this.open ? "broke" : "refused", error });
  }

  close(): void {
    clearInterval(this.telling);
    this.flush();
  }

  private end(line: Untold): void {
    this.flush();
    this.open = false;
    this.tell(line);
  }

  private flush(): void {
    if (this.count > 0) this.tell({ what: "beats", count: this.count, silence: this.silence });
    [this.count, this.silence] = [0, 0];
  }

  private tell(line: Untold): void {
    this.print({ witness: this.witness, at: Date.now(), ...line });
  }
}

type Untold = Line extends infer Each ? (Each extends Line ? Omit<Each, "witness" | "at"> : never) : never;

/** Milliseconds. */
const TELL = 500;
