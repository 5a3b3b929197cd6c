import { interruption, unlessInterrupted } from "../../operate/interruption";

/** What is done one after the other, shown with the time it took. */
export class Steps {
  private readonly began = Date.now();
  private readonly done: { title: string; seconds: number }[] = [];

  /** Runs a step to its end, but none after a signal; a text that it returns is shown below its title. */
  async run(title: string, work: () => Promise<unknown>): Promise<void> {
    interruption.throwIfAborted();
    const began = Date.now();
    process.stdout.write(`\n● ${title}\n`);
    const shown = await work();
    if (typeof shown === "string" && shown !== "") console.log(shown.replace(/^/gm, "    "));
    const seconds = (Date.now() - began) / 1000;
    this.done.push({ title, seconds });
    console.log(`  done in ${seconds.toFixed(1)} s`);
  }

  /** The same for one that only looks: a signal gives it up. */
  look(title: string, work: () => Promise<unknown>): Promise<void> {
    return this.run(title, () => unlessInterrupted(work()));
  }

  summary(): void {
    console.log("\nSummary");
    for (const { title, seconds } of this.done) console.log(`  ${seconds.toFixed(1).padStart(6)} s  ${title}`);
    console.log(`  ${((Date.now() - this.began) / 1000).toFixed(1).padStart(6)} s  in all`);
  }
}
