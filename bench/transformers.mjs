/**
 * A call of WhisperFeatureExtractor with 30 s, as it is and through wavepool/transformers, interleaved in one run.
 *
 *     npm run peers && node bench/transformers.mjs
 *
 * Ours is disposed after each call, as a loop over clips would; theirs is left to the collector, which is its way.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { WhisperFeatureExtractor } from "@huggingface/transformers";
import { pooledFeatureExtractor } from "../dist/transformers.js";

const ROUNDS = 21;
/** Calls of ours in each round: one is too short beside the clock's and the machine's noise. */
const OUR_CALLS = 20;

let state = 1;
const samples = Float32Array.from({ length: 480000 }, (_, i) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  const syllable = Math.max(0, Math.sin(i / 1200));
  return 0.3 * syllable * Math.sin(i / 20 + 3 * Math.sin(i / 900)) + 0.003 * (state / 2 ** 31 - 1);
});

const [flag, mels] = process.argv.slice(2);
if (flag === "--bytes") await printBytes(Number(mels));
else for (const mels of [80, 128]) await compare(mels);

async function contenders(mels) {
  const theirs = new WhisperFeatureExtractor({
    feature_size: mels,
    sampling_rate: 16000,
    hop_length: 160,
    n_fft: 400,
    chunk_length: 30,
    n_samples: 480000,
    nb_max_frames: 3000,
  });
  const pooled = await pooledFeatureExtractor(theirs);
  return {
    theirs: () => theirs(samples),
    ours: async () => (await pooled(samples)).input_features.dispose(),
  };
}

async function compare(mels) {
  const { ours, theirs } = await contenders(mels);
  const ratios = [];
  const times = { ours: [], theirs: [] };
  for (let round = -3; round < ROUNDS; round++) {
    let start = performance.now();
    for (let i = 0; i < OUR_CALLS; i++) await ours();
    const our = (performance.now() - start) / OUR_CALLS;
    start = performance.now();
    await theirs();
    const their = performance.now() - start;
    if (round < 0) continue;
    times.ours.push(our);
    times.theirs.push(their);
    ratios.push(their / our);
  }
  const flags = ["--expose-gc", "--min-semi-space-size=256", "--max-semi-space-size=256"];
  const self = fileURLToPath(import.meta.url);
  const bytes = JSON.parse(
    execFileSync(process.execPath, [...flags, self, "--bytes", String(mels)], { encoding: "utf8" }),
  );
  console.log(`${mels} mels, Node ${process.versions.node}, median [p10 … p90]`);
  console.log(
    `  transformers.js   ${spread(times.theirs)} ms   ${(bytes.theirs / 1e6).toFixed(1)} MB allocated per call`,
  );
  console.log(
    `  wavepool drop-in  ${spread(times.ours)} ms   ${bytes.ours.toFixed(0)} bytes allocated per call`,
  );
  console.log(`  ratio             ${spread(ratios)} ×`);
}

/** Growth of heap and array buffers by a call, in a process whose young generation holds all of it: the median of seven rounds. */
async function printBytes(mels) {
  const { ours, theirs } = await contenders(mels);
  const used = () => {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const grown = async (calls, call) => {
    globalThis.gc();
    const before = used();
    for (let i = 0; i < calls; i++) await call();
    return (used() - before) / calls;
  };
  for (let i = 0; i < 300; i++) await ours();
  const rounds = { ours: [], theirs: [] };
  for (let round = 0; round < 7; round++) {
    rounds.ours.push(await grown(100, ours));
    rounds.theirs.push(await grown(1, theirs));
  }
  const median = (values) => values.toSorted((a, b) => a - b)[3];
  console.log(JSON.stringify({ ours: median(rounds.ours), theirs: median(rounds.theirs) }));
}

function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part) => sorted[Math.floor(part * (sorted.length - 1))];
  const show = (x) => (x < 10 ? x.toFixed(2) : x.toFixed(0));
  return `${show(at(0.5)).padStart(6)} [${show(at(0.1))} … ${show(at(0.9))}]`.padEnd(22);
}
