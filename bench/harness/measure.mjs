/**
 * Measures one suite in whatever runtime this is: Node, Deno, Bun or a page.
 *
 * The loop is our own. mitata 1.0 and tinybench 6 run one task to its end before the next, so that a machine that
 * slows down meanwhile makes a contender look slow; here every contender takes its turn in every round, in shuffled
 * order. And browsers round their clocks to up to a millisecond, so that a turn has to be sized before it is timed.
 *
 * A suite is { name, title, measure?, jobs(context) }, where `measure` is what the sizes of its jobs count.
 *
 * A job is { name, size?, count?, unit?, quick?, contenders, check }:
 * - count: operations of a call; a contender's own comes first
 * - check(result): { difference, allowed, why? }, how far a result is from the reference, and may be
 *
 * A contender is { name, kind: "wavepool" | "peer" | "yardstick", prepare(), count?, check?, other?, lacks? }:
 * - prepare() resolves to { run(), result?(), time?(calls), asynchronous?, elsewhere?, close?() }, where `elsewhere` is work of
 *   other threads, whose bytes nobody counts. What run() returns goes into a sum, so that no engine can leave the work out.
 * - check: in place of the job's
 * - other: what is computed instead of the reference's result, which then is not checked but for being something
 * - lacks: why it has nothing for this job
 */
import { quantiles, spread } from "../mel/spread.mjs";
import { firstLine } from "./problems.mjs";

/** How long and how often is measured. */
export const EFFORTS = {
  full: { rounds: 9, turnMs: 12, warmUpMs: 60, budgetMs: 400, latencyMs: 100 },
  quick: { rounds: 5, turnMs: 4, warmUpMs: 10, budgetMs: 150, latencyMs: 0 },
  /** Bytes and collections in place of times, which the counters and their flags would make longer. */
  counts: { rounds: 0, turnMs: 12, warmUpMs: 60, budgetMs: 0, latencyMs: 0, counts: true },
};
/** Rounds that even a slow contender gets. */
const LEAST_ROUNDS = 3;
const MAX_LATENCIES = 1000;
/** Single calls of one item are timed where they take at least so long, in ms: below, the clock is all that is seen. */
const LATENCY_FROM = 0.2;
/** Bytes take some twenty calls: those of slow contenders are left out, in ms. */
const BYTES_BELOW = 400;
/** Collections are counted over as long. */
const COLLECTIONS_MS = 150;
const DIGITS = 4;

const brief = (x) => Number(x.toPrecision(DIGITS));
/** From milliseconds; other units, such as a real-time factor, are made by the count. */
const SCALE = { µs: 1e3, ns: 1e6 };

/**
 * @param effort of EFFORTS
 * @param onProgress is told what is measured
 * @returns { suite, title, jobs: [{ name, size, unit, entries }] }, each entry with samples (in the job's unit, one a round), by
 * EFFORTS.counts with bytes and collections of an item instead, or `failed`
 */
export async function measureSuite(suite, context, effort, onProgress = () => {}) {
  const jobs = [];
  const left = [];
  for (const job of await suite.jobs(context)) {
    if (effort === EFFORTS.quick && job.quick === false) {
      left.push(job.name);
      continue;
    }
    await onProgress(`${suite.name}: ${job.name}`);
    jobs.push(await measureJob(job, context, effort));
  }
  return { suite: suite.name, title: suite.title, measure: suite.measure, jobs, left };
}

async function measureJob(job, context, effort) {
  const { name, size, unit = "ms" } = job;
  const entries = [];
  for (const contender of job.contenders) entries.push(await prepare(contender, job, effort));
  const running = entries.filter(({ failed, lacks }) => failed === undefined && lacks === undefined);
  const rounds = Math.max(0, ...running.map((entry) => entry.rounds));
  for (let round = 0; round < rounds; round++) {
    for (const entry of shuffled(running, round)) {
      if (round >= entry.rounds || entry.failed !== undefined) continue;
      try {
        entry.samples.push(brief(((await turn(entry, entry.calls)) * (SCALE[unit] ?? 1)) / entry.count));
      } catch (error) {
        entry.failed = firstLine(error);
      }
    }
  }
  for (const entry of running) await finish(entry, context, effort);
  return { name, size, unit, entries: entries.map(described) };
}

/** Loads a contender, compares its result with the reference, and finds how many calls fill a turn. */
async function prepare(contender, job, effort) {
  const { name, kind, prepare: load, other, lacks, count = job.count ?? 1, check = job.check } = contender;
  const entry = { name, kind, other, lacks, count, samples: [], sum: 0 };
  if (lacks !== undefined) return entry;
  try {
    entry.work = await load();
    verify(entry, await (entry.work.result ?? entry.work.run)(), check);
    let [calls, ms] = [1, 0];
    const start = performance.now();
    do {
      ms = await turn(entry, calls);
      entry.once = ms;
      if (ms * calls < effort.turnMs / 2) calls *= 2;
    } while (performance.now() - start < effort.warmUpMs);
    entry.calls = Math.max(1, ms > 0 ? Math.round(effort.turnMs / ms) : calls);
    entry.rounds = Math.min(effort.rounds, Math.max(LEAST_ROUNDS, Math.floor(effort.budgetMs / ms)));
  } catch (error) {
    entry.failed = firstLine(error);
    await close(entry);
  }
  return entry;
}

/** Its threads and programs would outlive it. */
async function close(entry) {
  try {
    await entry.work?.close?.();
  } catch (error) {
    entry.failed ??= firstLine(error);
  }
}

function verify(entry, result, check) {
  const checksum = typeof result === "number" ? result : result?.reduce?.((sum, x) => sum + x, 0);
  if (checksum !== undefined) entry.checksum = brief(checksum);
  if (entry.other !== undefined) {
    // What it ought to be nobody says, but something it has to be.
    if (!Number.isFinite(checksum) || checksum === 0) throw new Error(`wrong result: its sum is ${checksum}`);
    return;
  }
  const { difference, allowed, why } = check(result);
  if (!(difference <= allowed)) {
    throw new Error(why ?? `wrong result: off the reference by ${difference}, allowed ${allowed}`);
  }
  entry.difference = brief(difference);
}

/** Mean ms of so many calls. */
async function turn(entry, calls) {
  const { run, time, asynchronous } = entry.work;
  if (time) return time(calls);
  let { sum } = entry;
  const start = performance.now();
  if (asynchronous) for (let i = 0; i < calls; i++) sum += Number((await run()) ?? 0);
  else for (let i = 0; i < calls; i++) sum += run();
  const ms = (performance.now() - start) / calls;
  entry.sum = sum;
  return ms;
}

/** Single calls, bytes, collections, and the end. */
async function finish(entry, context, effort) {
  const { run, time, elsewhere } = entry.work;
  try {
    if (entry.failed === undefined && !time) {
      if (effort.latencyMs > 0 && entry.count === 1 && entry.once >= LATENCY_FROM)
        entry.latencies = await latencies(entry, effort);
      if (effort.counts && !elsewhere && entry.once < BYTES_BELOW) {
        entry.bytes = Math.round((await context.bytesPerCall(run)) / entry.count);
        entry.collections = await collectionsOf(entry, context);
      }
    }
  } catch (error) {
    entry.failed = firstLine(error);
  }
  await close(entry);
}

/** Collections of an item: far less than one for what allocates little. */
async function collectionsOf(entry, context) {
  const counted = context.collections();
  let calls = 0;
  for (const start = performance.now(); performance.now() - start < COLLECTIONS_MS; calls += entry.calls)
    await turn(entry, entry.calls);
  return brief(counted() / calls / entry.count);
}

async function latencies(entry, effort) {
  const times = [];
  const end = performance.now() + effort.latencyMs;
  while (performance.now() < end && times.length < MAX_LATENCIES) times.push(brief(await turn(entry, 1)));
  return { count: times.length, quantiles: quantiles(times) };
}

function described({
  name,
  kind,
  other,
  lacks,
  failed,
  samples,
  collections,
  checksum,
  difference,
  latencies,
  bytes,
}) {
  const common = { name, kind, ...(other === undefined ? {} : { other }) };
  if (lacks !== undefined) return { ...common, lacks };
  if (failed !== undefined) return { ...common, failed };
  const times = samples.length > 0 && { ...spread(samples), samples };
  return { ...common, ...times, collections, bytes, checksum, difference, latencies };
}

/** The same order for the same round in every run. */
function shuffled(entries, round) {
  let state = round + 1;
  const order = [...entries];
  for (let i = order.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = state % (i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** Greatest absolute difference; infinite where lengths differ. */
export function greatestDifference(a, b) {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i]);
    if (!(difference <= most)) most = difference;
  }
  return most;
}
