/** Asks again and again until the answer fits; after the deadline, says what was waited for and what came last. */
export async function until<T>(
  what: string,
  ask: () => Promise<T>,
  fits: (answer: T) => boolean,
  { seconds = 30, every = 200 }: { seconds?: number; every?: number } = {},
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    let last: unknown;
    try {
      const answer = await ask();
      if (fits(answer)) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() >= deadline) {
      const shown = last instanceof Error ? last.message : JSON.stringify(last);
      throw new Error(`waited ${seconds} s for ${what}; last seen: ${shown}`);
    }
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}
