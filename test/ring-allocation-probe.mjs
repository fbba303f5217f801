/** Run by guard.test.ts with --expose-gc: prints JavaScript heap bytes per call in the steady state. */
import { createAnalysisBuffer, createBufferPool, createCore } from "../dist/index.js";

const ROUNDS = 9;
const CALLS = 2000;
const core = await createCore();
const block = createBufferPool(core, { name: "block", dtype: "f32", shape: 128, max: 1 }).acquire().view;
const written = createAnalysisBuffer(core, { name: "written", window: 128 });
const both = createAnalysisBuffer(core, { name: "both", window: 128 });
const own = new Float32Array(128);

/** Least growth of the heap over some rounds: whatever else the engine allocates at times only adds to it. */
function bytesPerCall(call) {
  for (let i = 0; i < CALLS; i++) call();
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    globalThis.gc();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < CALLS; i++) call();
    least = Math.min(least, process.memoryUsage().heapUsed - before);
  }
  return least / CALLS;
}

const write = bytesPerCall(() => written.write(block));
const read = bytesPerCall(() => {
  both.write(block);
  both.read().release();
});
const readInto = (target) =>
  bytesPerCall(() => {
    both.write(block);
    both.readInto(target);
  });
const [inside, outside] = [readInto(block), readInto(own)];
console.log(JSON.stringify({ write, read, inside, outside }));
