/**
 * For test suites that use pools: `import { failOnLeaks } from "wavepool/vitest"`.
 *
 * @module
 */
import { afterAll } from "vitest";
import { keepCores, livingCores } from "../core/core.ts";
import { checkLeaks, describeLeak } from "../pools/leak-detection.ts";

/**
 * Makes every test file fail that leaves leases behind, in any pool of any core of its realm. Call it once,
 * in a file of vitest's `setupFiles` or at the top of a test file. Counts what is leased at the end, so that
 * it does not depend on garbage collection: cores made after this call are kept until the file ends. A pool
 * with `leakDetection: "full"` adds where each lease was acquired.
 */
export function failOnLeaks(): void {
  keepCores();
  afterAll(() => {
    const leaks = livingCores()
      .flatMap((core) => checkLeaks(core, { olderThan: 0 }))
      .filter(({ kind }) => kind === "held");
    if (leaks.length === 0) return;
    throw new Error(`${leaks.length} leases were not released:\n${leaks.map(describeLeak).join("\n")}`);
  });
}
