/** Run by guard.test.ts with --expose-gc: prints JavaScript heap bytes per call in the steady state. */
import { createAnalysisBuffer, createBufferPool, createCore } from "../dist/index.js";
import { bytesPerCall } from "./reference/heap-growth.mjs";

const CALLS = 2000;
const core = await createCore();
const block = createBufferPool(core, { name: "block", dtype: "f32", shape: 128, max: 1 }).acquire().view;
const written = createAnalysisBuffer(core, { name: "written", window: 128 });
const both = createAnalysisBuffer(core, { name: "both", window: 128 });
const own = new Float32Array(128);

const write = bytesPerCall(() => written.write(block), CALLS);
const read = bytesPerCall(() => {
  both.write(block);
  both.read().release();
}, CALLS);
const readInto = (target) =>
  bytesPerCall(() => {
    both.write(block);
    both.readInto(target);
  }, CALLS);
const [inside, outside] = [readInto(block), readInto(own)];
console.log(JSON.stringify({ write, read, inside, outside }));
