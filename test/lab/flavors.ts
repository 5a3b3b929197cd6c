import { lab } from "./support";

/** As m1.small, with other memory in MiB: Nova makes no disk smaller, so that the way back needs one of the same size. */
export async function makeFlavor(name: string, memory: number): Promise<void> {
  // A run that was killed left it.
  await removeFlavor(name).catch(() => undefined);
  await lab.admin("flavor", "create", "--ram", `${memory}`, "--disk", "10", "--vcpus", "1", name);
}

export async function removeFlavor(name: string): Promise<void> {
  await lab.admin("flavor", "delete", name);
}
