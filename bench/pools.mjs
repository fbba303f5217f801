/**
 * The pools beside plain allocation, and at their limits. Each case runs in a process of its own, as an
 * application would: several cores in one process make the engine's call sites megamorphic.
 *
 *     npm run bench:pools
 *     deno run -A bench/pools.mjs
 *     bun bench/pools.mjs
 */
import { execFileSync } from "node:child_process";
import { availableParallelism, cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";
import { createBufferPool, createCore, createPoolManager } from "../dist/index.js";

const SELF = fileURLToPath(import.meta.url);
const { Bun, Deno } = globalThis;
const RUNTIME = Bun
  ? `Bun ${Bun.version}`
  : Deno
    ? `Deno ${Deno.version.deno}`
    : `Node ${process.versions.node}`;
/** Samples of each figure; the median of them is given, and the range from the tenth to the ninetieth percentile. */
const SAMPLES = 25;
const CYCLES = 200_000;

const cases = { cycle, allocation, bytes, iterations, threads, service, raw };
const [, , chosen, ...rest] = process.argv;
if (chosen) console.log(JSON.stringify(await cases[chosen](...rest)));
else printAll();

/** Runs a case in a process of its own. */
function run(...args) {
  const flags = Deno ? ["run", "--allow-all", "--quiet"] : [];
  return JSON.parse(
    execFileSync(process.execPath, [...flags, SELF, ...args.map(String)], { encoding: "utf8" }),
  );
}

function printAll() {
  console.log(`${cpus()[0].model}, ${availableParallelism()} cores, ${RUNTIME}; median [p10 … p90]`);
  console.log("\nacquire + release from JavaScript, ns, buffers of 960 kB");
  for (const build of ["plain", "threads"]) {
    for (const statistics of ["off", "counts", "times"]) {
      console.log(
        `  ${build.padEnd(8)} statistics ${statistics.padEnd(7)} ${figure(run("cycle", build, statistics), 1)}`,
      );
    }
    console.log(`  ${build.padEnd(8)} the core's own functions ${figure(run("raw", build), 1)}`);
  }
  console.log("\nnew Float32Array against acquire + release, ns");
  for (const bytes of [240_000, 960_000, 1_920_000, 3_000_000]) {
    const { pool, fresh, ratio } = run("allocation", bytes);
    console.log(
      `  ${String(bytes / 1000).padStart(4)} kB  new ${figure(fresh, 0)}  pool ${figure(pool, 1)}  ratio ${figure(ratio, 0)} ×`,
    );
  }
  const { perOperation, retained } = run("bytes");
  console.log(
    `\nbytes of garbage an operation ${perOperation.toFixed(1)}, bytes retained an operation ${retained.toFixed(3)}`,
  );
  console.log(
    "\nmemory growth, pool of 960 kB buffers against new ones held for one turn, MB of resident memory",
  );
  for (const count of [1000, 1_000_000]) {
    const grown = {
      pool: run("iterations", "pool", count),
      fresh: run("iterations", "new", Math.min(count, 100_000)),
    };
    console.log(
      `  ${String(count).padStart(7)} iterations  pool ${grown.pool.megabytes.toFixed(1)}  new ${grown.fresh.megabytes.toFixed(1)} (${grown.fresh.count} iterations)`,
    );
  }
  console.log("\n20 threads on one pool, acquire + release pairs a second");
  for (const statistics of ["off", "counts"]) {
    const { rate, refused } = run("threads", statistics);
    console.log(`  statistics ${statistics.padEnd(7)} ${figure(rate, 0)}  (refused ${refused})`);
  }
  console.log("\nrequests a second, each with mel, audio and encoder output, first and last value written");
  const { pooled, fresh, ratio, held } = run("service");
  console.log(
    `  pools ${figure(pooled, 0)}  new arrays ${figure(fresh, 0)}  ratio ${figure(ratio, 0)} ×  leases left ${held}`,
  );
}

function figure([p10, median, p90], digits) {
  return `${median.toFixed(digits)} [${p10.toFixed(digits)} … ${p90.toFixed(digits)}]`;
}

function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return [at(0.1), at(0.5), at(0.9)];
}

/** Nanoseconds a turn of `work`, over `turns` turns. */
function nanoseconds(turns, work) {
  const start = performance.now();
  for (let i = 0; i < turns; i++) work();
  return ((performance.now() - start) * 1e6) / turns;
}

async function poolOf(build, statistics, bytes = 960_000, max = 4) {
  const core = await createCore({ threads: build === "threads", memoryBytes: 2 ** 25 });
  return {
    core,
    pool: createBufferPool(core, { name: "shared", dtype: "f32", bytes, initial: 2, max, statistics }),
  };
}

async function cycle(build, statistics) {
  const { pool } = await poolOf(build, statistics);
  const turn = () => pool.acquire().release();
  for (let i = 0; i < 5; i++) nanoseconds(CYCLES, turn);
  return spread(Array.from({ length: SAMPLES }, () => nanoseconds(CYCLES, turn)));
}

/** The core without the host: what the two calls into Wasm cost. */
async function raw(build) {
  const { core, pool } = await poolOf(build, "counts");
  const { exports } = core;
  const shard = exports.poolJoin(pool.address, core.agent);
  const turn = () => exports.poolRelease(shard, exports.poolAcquire(shard, 0), 0);
  for (let i = 0; i < 5; i++) nanoseconds(CYCLES, turn);
  return spread(Array.from({ length: SAMPLES }, () => nanoseconds(CYCLES, turn)));
}

async function allocation(size) {
  const bytes = Number(size);
  const { pool } = await poolOf("plain", "counts", bytes);
  let kept;
  const pooled = () => pool.acquire().release();
  const fresh = () => {
    kept = new Float32Array(bytes / 4);
  };
  const turns = 200;
  nanoseconds(CYCLES, pooled);
  nanoseconds(turns, fresh);
  const pairs = Array.from({ length: SAMPLES }, () => [
    nanoseconds(CYCLES, pooled),
    nanoseconds(turns, fresh),
  ]);
  if (kept.length !== bytes / 4) throw new Error("nothing was allocated");
  return {
    pool: spread(pairs.map(([ours]) => ours)),
    fresh: spread(pairs.map(([, theirs]) => theirs)),
    ratio: spread(pairs.map(([ours, theirs]) => theirs / ours)),
  };
}

function collector() {
  if (Bun) return () => Bun.gc(true);
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc");
}

/** Garbage while running, and what is left after a collection. */
async function bytes() {
  const { pool } = await poolOf("plain", "counts");
  const collect = collector();
  const turn = () => pool.acquire().release();
  nanoseconds(2_000_000, turn);
  const count = 5000; // less than the young generation holds, so that nothing is collected meanwhile
  collect();
  const before = process.memoryUsage().heapUsed;
  nanoseconds(count, turn);
  const garbage = process.memoryUsage().heapUsed - before;
  nanoseconds(1_000_000, turn);
  collect();
  const retained = process.memoryUsage().heapUsed - before;
  return { perOperation: garbage / count, retained: Math.max(0, retained) / 1_000_000 };
}

async function iterations(kind, many) {
  const count = Number(many);
  const { pool } = await poolOf("plain", "counts");
  let kept;
  const turn =
    kind === "pool"
      ? () => {
          const lease = pool.acquire();
          lease.view[0] = 1;
          lease.release();
        }
      : () => {
          kept = new Float32Array(240_000);
          kept[0] = 1;
        };
  for (let i = 0; i < 100; i++) turn();
  const before = process.memoryUsage().rss;
  let peak = before;
  for (let i = 0; i < count; i++) {
    turn();
    if (i % 500 === 0) peak = Math.max(peak, process.memoryUsage().rss);
  }
  peak = Math.max(peak, process.memoryUsage().rss);
  return { count, megabytes: (peak - before) / 1e6 };
}

async function threads(statistics) {
  const agents = 20;
  const rounds = 200_000;
  const rates = [];
  let refused = 0;
  for (let sample = 0; sample < 9; sample++) {
    const { core } = await poolOf("threads", statistics, 4096, 64);
    const start = new Int32Array(new SharedArrayBuffer(4));
    const workers = Array.from(
      { length: agents },
      () =>
        new Worker(new URL("./pools/agent.mjs", import.meta.url), {
          workerData: { handle: core.share(), rounds, start },
        }),
    );
    const message = (worker) => new Promise((resolve) => worker.once("message", resolve));
    await Promise.all(workers.map(message));
    const finished = workers.map(message);
    const begin = performance.now();
    Atomics.store(start, 0, 1);
    Atomics.notify(start, 0);
    const results = await Promise.all(finished);
    rates.push((agents * rounds * 1000) / (performance.now() - begin));
    refused += results.reduce((sum, result) => sum + result.refused, 0);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return { rate: spread(rates), refused };
}

/** Leases of one request after another, as a transcription service takes them. */
async function service() {
  const manager = await createPoolManager({ preset: "medium", threads: false });
  const names = ["mel", "audio", "encoder_output"];
  const pools = names.map((name) => manager.pool(name));
  const touch = (view) => {
    view[0] = 1;
    view[view.length - 1] = 1;
  };
  const pooled = () => {
    const leases = [pools[0].acquire(), pools[1].acquire(), pools[2].acquire()];
    for (const lease of leases) touch(lease.view);
    for (const lease of leases) lease.release();
  };
  const fresh = () => {
    for (const { length } of pools) touch(new Float32Array(length));
  };
  nanoseconds(20_000, pooled);
  nanoseconds(20, fresh);
  const pairs = Array.from({ length: SAMPLES }, () => [nanoseconds(20_000, pooled), nanoseconds(50, fresh)]);
  const rate = (ns) => 1e9 / ns;
  return {
    pooled: spread(pairs.map(([ours]) => rate(ours))),
    fresh: spread(pairs.map(([, theirs]) => rate(theirs))),
    ratio: spread(pairs.map(([ours, theirs]) => theirs / ours)),
    held: manager.shutdown().length,
  };
}
