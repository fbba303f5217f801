/**
 * Whisper's log-mel beside its peers: every contender takes its turns in every round, and ratios are taken within
 * rounds.
 *
 *     npm run bench:mel
 *     npm run bench:mel -- --seconds 30 --mels 80 --only ours,native --rounds 15
 *     deno run -A bench/mel/main.mjs
 *     bun bench/mel/main.mjs
 *
 * The peers live in bench/package.json and are installed on the first run. One that does not load, and FFTW
 * where there is no compiler, is reported and left out.
 */
import { parseArgs } from "node:util";
import { ALLOCATION_FLAGS } from "./allocation.mjs";
import { startContender } from "./children.mjs";
import { CONTENDERS, GROUPS, REFERENCE } from "./contenders.mjs";
import { installPeers } from "./peers.mjs";
import { seededNoise } from "./signal.mjs";
import { machine, printJob, printNotes, printPromises } from "./table.mjs";

/** A turn lasts at least so long, by repeated calls: a short one is lost in the noise of clock and machine. */
const TURN_MS = 30;
const WARM_UP_MS = 200;
const WARM_UP_CALLS = 5;
const SAME = 1e-4;

const { values: options } = parseArgs({
  options: {
    seconds: { type: "string", default: "1,5,10,30" },
    mels: { type: "string", default: "80,128" },
    only: { type: "string", default: "all" },
    rounds: { type: "string", default: "15" },
  },
});
const seconds = numbers("seconds", (s) => s > 0 && s <= 30);
const allMels = numbers("mels", (m) => m === 80 || m === 128);
const [rounds] = numbers("rounds", (n) => Number.isInteger(n) && n > 0);
const names = chosenNames();

if (names.some((name) => !GROUPS.ours.includes(name) && name !== "native" && name !== "plain"))
  installPeers();
console.log(machine());
console.log(`one thread and one process each; median [p10 … p90] of ${rounds} rounds`);
const jobs = [];
let left = names;
for (const mels of allMels) {
  const started = await startAll(left);
  left = Object.keys(started);
  const prepared = await prepareJobs(mels, started);
  await measure(prepared);
  for (const { end } of Object.values(started)) end();
  if (!globalThis.Deno && !globalThis.Bun) await countBytes(prepared);
  for (const job of prepared) printJob(job, job.entries);
  jobs.push(...prepared);
}
printNotes(left);
printPromises(jobs);

function numbers(name, allowed) {
  const list = options[name].split(",").map(Number);
  if (list.every(allowed)) return list;
  throw new RangeError(`--${name} ${options[name]} is not understood; see the head of bench/mel/main.mjs`);
}

function chosenNames() {
  const wanted = options.only.split(",").flatMap((name) => GROUPS[name] ?? [name]);
  const unknown = wanted.find((name) => !Object.hasOwn(CONTENDERS, name));
  if (unknown) throw new RangeError(`--only ${unknown}; give ours or any of ${GROUPS.all.join(", ")}`);
  return GROUPS.all.filter((name) => name === REFERENCE || wanted.includes(name));
}

async function startAll(wanted) {
  const started = {};
  for (const name of wanted) {
    try {
      started[name] = await (CONTENDERS[name].start?.() ?? startContender(name));
    } catch (error) {
      if (name === REFERENCE) throw error;
      console.log(`  left out: ${CONTENDERS[name].label}: ${error.message}`);
    }
  }
  return started;
}

/** Jobs with their contenders, whose features have been looked at. Unpadded and padded 30 s are the same. */
async function prepareJobs(mels, started) {
  const prepared = seconds.map((s) => ({ mels, seconds: s, pad: false, entries: [] }));
  for (const s of seconds) if (s < 30) prepared.push({ mels, seconds: s, pad: true, entries: [] });
  for (const job of prepared) {
    let reference;
    for (const [name, { prepare }] of Object.entries(started)) {
      if (job.pad && !CONTENDERS[name].pad) continue;
      const contender = await prepare(job);
      const features = await contender.features();
      reference ??= features;
      job.entries.push({ name, contender, times: [], difference: check(name, features, reference) });
    }
  }
  return prepared;
}

/** The largest difference of Whisper's features from ours; others are only to be numbers that vary. */
function check(name, features, reference) {
  const { label, other } = CONTENDERS[name];
  if (other) {
    if (features.length > 0 && features.every(Number.isFinite) && new Set(features).size > 100)
      return undefined;
    throw new Error(`${label} computes nothing sensible: nothing to compare`);
  }
  let worst = features.length === reference.length ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < reference.length; i++) worst = Math.max(worst, Math.abs(features[i] - reference[i]));
  if (worst < SAME) return worst;
  throw new Error(`features of ${label} differ by ${worst}: nothing to compare`);
}

/**
 * Turns in a new order each round, so that nobody always follows the one that leaves the machine busy with its
 * garbage. A turn of short calls begins with some that do not count: its process has slept, others had the caches.
 */
async function measure(prepared) {
  const turns = prepared.flatMap((job) => job.entries);
  for (const turn of turns) turn.calls = await warmUp(turn.contender);
  const random = seededNoise(rounds);
  for (let round = 0; round < rounds; round++) {
    for (const { contender, times, calls } of shuffled(turns, random)) {
      if (calls > 1) await contender.time(Math.ceil(calls / 4));
      times.push(await contender.time(calls));
    }
  }
}

function shuffled(list, random) {
  return list
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

/** Calls until the engine has optimised; gives how many fill a turn. */
async function warmUp({ time }) {
  const start = performance.now();
  let ms = await time(WARM_UP_CALLS);
  while (performance.now() - start < WARM_UP_MS) ms = await time(Math.ceil(20 / Math.max(ms, 0.01)));
  return Math.max(1, Math.ceil(TURN_MS / Math.max(ms, 0.001)));
}

async function countBytes(prepared) {
  for (const name of left.filter((other) => !CONTENDERS[other].start)) {
    const { prepare, end } = await startContender(name, ALLOCATION_FLAGS);
    for (const job of prepared) {
      const entry = job.entries.find((other) => other.name === name);
      if (entry) entry.bytes = await (await prepare(job)).bytes();
    }
    end();
  }
}
