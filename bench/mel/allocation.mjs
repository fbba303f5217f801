/** Bytes that a call allocates in JavaScript, as V8 counts them: growth, and what was collected meanwhile. */
import { GCProfiler } from "node:v8";
import { spread } from "./spread.mjs";

/** For the counting process: collections on request, and array buffers freed by the collection, not some time later. */
export const ALLOCATION_FLAGS = ["--expose-gc", "--no-concurrent-array-buffer-sweeping"];
/** Code that is not optimised yet allocates more. */
const WARM_UP_CALLS = 5;
const WARM_UP_MS = 1500;
const ROUNDS = 5;
/** Above this a single call is counted; below, the difference that more calls make. */
const LARGE = 1e6;
const [FEW, MANY] = [10, 30];
/** Calls that take longer, in ms, are counted in fewer: theirs is more than a round's own bytes. */
const SLOW_MS = 2;
const [SLOW_FEW, SLOW_MANY] = [1, 3];

/**
 * Bytes a call, the median of some rounds, which differ by what the engine has optimised. Small ones are what many calls
 * take more than few, the least of some rounds of either: what a round takes whatever it calls, such as reading the
 * counters, is in both. Nothing is collected between those rounds: a collection drops optimised code that refers to what
 * has died, and compiling again allocates some kilobytes.
 */
export async function bytesPerCall(run, warmUpMs = WARM_UP_MS) {
  const start = performance.now();
  let calls = 0;
  for (; calls < WARM_UP_CALLS || performance.now() - start < warmUpMs; calls++) await run();
  const slow = performance.now() - start > SLOW_MS * calls;
  const { median } = spread(await countRounds(run, 1));
  if (median > LARGE) return median;
  const [few, many] = slow ? [SLOW_FEW, SLOW_MANY] : [FEW, MANY];
  const bytesOf = async (calls) => Math.min(...(await countRounds(run, calls, false)));
  const least = await bytesOf(few);
  return Math.max(0, (await bytesOf(many)) - least) / (many - few);
}

async function countRounds(run, calls, collect = true) {
  const bytes = [];
  for (let round = 0; round < ROUNDS; round++) {
    if (collect) globalThis.gc();
    bytes.push(await allocated(run, calls));
  }
  return bytes;
}

async function allocated(run, calls) {
  const used = () => {
    const { heapUsed, arrayBuffers, external } = process.memoryUsage();
    // Deno counts buffers among all that is outside of the heap.
    return heapUsed + (globalThis.Deno ? external : arrayBuffers);
  };
  const profiler = new GCProfiler();
  profiler.start();
  const before = used();
  for (let i = 0; i < calls; i++) {
    const result = run();
    if (result instanceof Promise) await result;
  }
  const growth = used() - before;
  const held = ({ heapStatistics }) => heapStatistics.usedHeapSize + heapStatistics.externalMemory;
  const collected = profiler.stop().statistics.map(({ beforeGC, afterGC }) => held(beforeGC) - held(afterGC));
  return collected.reduce((sum, bytes) => sum + bytes, growth);
}
