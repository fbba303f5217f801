/**
 * Whisper log-mel of 30 s beside the extractor of @huggingface/transformers, interleaved in one run.
 *
 *     npm run bench
 *
 * The peer lives in bench/package.json and is installed on the first run, its install scripts off: they
 * fetch GPU libraries that this bench does not need.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { createBufferPool, createCore, createFrontEnd } from "../dist/index.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const ROUNDS = 25;
/** Calls of ours in each round: one is too short beside the clock's and the machine's noise. */
const OUR_CALLS = 20;
const WARM_UP = 5;

if (!existsSync(`${here}node_modules/@huggingface/transformers`)) {
  console.error("installing the peers of bench/package.json …");
  execFileSync("npm", ["ci", "--prefix", here, "--ignore-scripts", "--no-audit", "--no-fund"], {
    stdio: "inherit",
  });
}
const { WhisperFeatureExtractor } = await import("@huggingface/transformers");

const samples = speechLike(480000);
const core = await createCore();
const audioPool = createBufferPool(core, { name: "audio", dtype: "f32", shape: 480000, max: 1 });
const melPool = createBufferPool(core, { name: "mel", dtype: "f32", shape: 128 * 3000, max: 1 });
const audio = audioPool.acquire();
const mel = melPool.acquire();
audio.view.set(samples);
const { view: input } = audio;
const { view: output } = mel;

if (process.argv[2] === "--bytes") await printBytes(Number(process.argv[3]));
else {
  console.log(
    `${cpus()[0].model}, ${availableParallelism()} cores, Node ${process.versions.node}; one thread, 30 s, median [p10 … p90]`,
  );
  for (const mels of [80, 128]) await compare(mels);
}
audio.release();
mel.release();

/** Both extractors as calls without arguments, ours synchronous and theirs not. */
function contenders(mels) {
  const logMel = createFrontEnd(core, { preset: `whisper-${mels}` });
  const peer = new WhisperFeatureExtractor({
    feature_size: mels,
    sampling_rate: 16000,
    hop_length: 160,
    n_fft: 400,
    chunk_length: 30,
    n_samples: 480000,
    nb_max_frames: 3000,
  });
  return { ours: () => logMel.compute(input, output), theirs: () => peer(samples) };
}

async function compare(mels) {
  const { ours, theirs } = contenders(mels);
  ours();
  const difference = maxDifference(output, (await theirs()).input_features.data);
  if (!(difference < 1e-4)) throw new Error(`features differ by ${difference}: nothing to compare`);

  for (let i = 0; i < WARM_UP; i++) {
    for (let j = 0; j < OUR_CALLS; j++) ours();
    await theirs();
  }
  const ourTimes = [];
  const theirTimes = [];
  for (let round = 0; round < ROUNDS; round++) {
    let start = performance.now();
    for (let i = 0; i < OUR_CALLS; i++) ours();
    ourTimes.push((performance.now() - start) / OUR_CALLS);
    start = performance.now();
    await theirs();
    theirTimes.push(performance.now() - start);
  }
  const ratios = theirTimes.map((ms, i) => ms / ourTimes[i]);
  const allocated = measureBytes(mels);
  console.log(`\n${mels} mels (largest difference of the features ${difference.toExponential(1)})`);
  console.log(`  wavepool         ${spread(ourTimes)} ms   ${bytes(allocated.ours)} allocated per call`);
  console.log(`  transformers.js  ${spread(theirTimes)} ms   ${bytes(allocated.theirs)} allocated per call`);
  console.log(`  ratio            ${spread(ratios)} ×`);
}

/** Allocation is counted in a process of its own, whose young generation holds a whole call uncollected. */
function measureBytes(mels) {
  const flags = ["--expose-gc", "--min-semi-space-size=256", "--max-semi-space-size=256"];
  const self = fileURLToPath(import.meta.url);
  return JSON.parse(
    execFileSync(process.execPath, [...flags, self, "--bytes", String(mels)], { encoding: "utf8" }),
  );
}

/** Growth of heap and array buffers by a call: the least of some rounds, less what reading them takes. */
async function printBytes(mels) {
  const { ours, theirs } = contenders(mels);
  const used = () => {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const least = {
    reading: Number.POSITIVE_INFINITY,
    ours: Number.POSITIVE_INFINITY,
    theirs: Number.POSITIVE_INFINITY,
  };
  for (let i = 0; i < 500; i++) ours();
  for (let round = 0; round < 5; round++) {
    globalThis.gc();
    let before = used();
    least.reading = Math.min(least.reading, used() - before);
    before = used();
    for (let i = 0; i < 100; i++) ours();
    least.ours = Math.min(least.ours, used() - before);
    await theirs();
    globalThis.gc();
    before = used();
    await theirs();
    least.theirs = Math.min(least.theirs, used() - before);
  }
  console.log(
    JSON.stringify({
      ours: Math.max(0, least.ours - least.reading) / 100,
      theirs: least.theirs - least.reading,
    }),
  );
}

/** A voice of sorts: harmonics of a gliding pitch under syllables, over seeded noise. */
function speechLike(length) {
  let state = 1;
  const noise = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  return Float32Array.from({ length }, (_, i) => {
    const t = i / 16000;
    const pitch = 2 * Math.PI * (120 * t + 8 * Math.sin(2 * t));
    let voice = 0;
    for (let h = 1; h <= 20; h++) voice += Math.sin(h * pitch) / h;
    return 0.2 * voice * Math.max(0, Math.sin(2 * Math.PI * 2.2 * t)) + 0.003 * noise();
  });
}

function maxDifference(a, b) {
  let worst = 0;
  for (let i = 0; i < b.length; i++) worst = Math.max(worst, Math.abs(a[i] - b[i]));
  return worst;
}

function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part) => sorted[Math.floor(part * (sorted.length - 1))];
  const show = (x) => (x < 10 ? x.toFixed(2) : x.toFixed(0));
  return `${show(at(0.5)).padStart(6)} [${show(at(0.1))} … ${show(at(0.9))}]`.padEnd(24);
}

function bytes(n) {
  return n >= 1e6 ? `${(n / 1e6).toFixed(1)} MB` : `${n.toFixed(0)} bytes`;
}
