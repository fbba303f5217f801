const ROUNDS = 9;

/**
 * JavaScript heap bytes of a call in the steady state, in a process with --expose-gc: the least growth of the heap over some
 * rounds, for whatever else the engine allocates at times only adds to it.
 */
export function bytesPerCall(call, calls) {
  for (let i = 0; i < calls; i++) call();
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    globalThis.gc();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < calls; i++) call();
    least = Math.min(least, process.memoryUsage().heapUsed - before);
  }
  return least / calls;
}
