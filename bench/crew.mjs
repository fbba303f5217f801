/**
 * Whisper's log-mel of 30 s by one thread and by a crew of two, interleaved in one run: back to back, and after a
 * pause in which the crew has fallen asleep.
 *
 *     npm run bench:crew
 */
import { availableParallelism, cpus } from "node:os";
import { createBufferPool, createCore, createCrew, createFrontEnd } from "../dist/index.js";
import { spread } from "./mel/spread.mjs";

const ROUNDS = 40;
const CALLS = 10;
const PAUSE_MS = 20;
const SAMPLES = 480000;

const core = await createCore();
const crew = await createCrew(core, { threads: 2 });
const audio = createBufferPool(core, { name: "audio", dtype: "f32", shape: SAMPLES, max: 1 }).acquire();
const mel = createBufferPool(core, { name: "mel", dtype: "f32", shape: [128, 3000], max: 1 }).acquire();
let state = 1;
for (let i = 0; i < SAMPLES; i++) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  audio.view[i] = 0.2 * (state / 2 ** 31 - 1) * Math.sin(i / 1400);
}

const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
const timed = (run, calls) => {
  const start = performance.now();
  for (let i = 0; i < calls; i++) run();
  return (performance.now() - start) / calls;
};
const show = (values) => {
  const { p10, median, p90 } = spread(values);
  return `${median.toFixed(2)} [${p10.toFixed(2)} … ${p90.toFixed(2)}]`;
};

console.log(
  `${cpus()[0].model}, ${availableParallelism()} cores, Node ${process.versions.node}; 30 s, median [p10 … p90]`,
);
for (const preset of ["whisper-80", "whisper-128"]) {
  const alone = createFrontEnd(core, { preset });
  const together = createFrontEnd(core, { preset, crew });
  const one = () => alone.compute(audio.view, mel.view, SAMPLES);
  const two = () => together.compute(audio.view, mel.view, SAMPLES);
  timed(one, 100);
  timed(two, 100);
  const times = { one: [], two: [], woken: [] };
  for (let round = 0; round < ROUNDS; round++) {
    times.one.push(timed(one, CALLS));
    times.two.push(timed(two, CALLS));
    await pause();
    times.woken.push(timed(two, 1));
  }
  const ratio = (of) => show(times.one.map((ms, i) => ms / of[i]));
  console.log(`${preset}`);
  console.log(`  one thread              ${show(times.one)} ms`);
  console.log(`  crew of two             ${show(times.two)} ms, ${ratio(times.two)} ×`);
  console.log(`  crew of two, woken up   ${show(times.woken)} ms, ${ratio(times.woken)} ×`);
}
audio.release();
mel.release();
await crew.close();
