import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** The runtime's own collector: Bun offers it, V8 on request. */
function collector(): () => void {
  const { Bun } = globalThis as { Bun?: { gc(force: boolean): void } };
  if (Bun) return () => Bun.gc(true);
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

/** Collects garbage and lets finalizers run, until `done` says so or a second has passed. */
export async function collectGarbage(done: () => boolean): Promise<void> {
  const collect = collector();
  for (let turn = 0; turn < 50 && !done(); turn++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
