/**
 * The service under load: `npm run bench:service [-- --model base --clips DIR --requests 200 --clients 1,4
 * --runtime native --program deno]`. Each contender
 * (pools on and off, requests one at a time, several models, the encoder in a thread; `--only "pools on;pools off"` chooses) is a
 * process of its own, and so is the load; clips are those of WAVEPOOL_SPEECH or the sample. With `--turns N` all are up at once, and
 * take N turns each, one after another, for what a machine that slows down for a while does to one of them. Prints one table a
 * contender and JSON with --json.
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "tiny" },
    clips: { type: "string", default: process.env.WAVEPOOL_SPEECH ?? "" },
    requests: { type: "string", default: "60" },
    clients: { type: "string", default: "1,2,4,10" },
    turns: { type: "string", default: "1" },
    soak: { type: "string", default: "1000" },
    runtime: { type: "string", default: "wasm" },
    program: { type: "string", default: process.execPath },
    only: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const CLI = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
const SAMPLE = fileURLToPath(new URL("../samples/hello.wav", import.meta.url));
const CLIENTS = values.clients.split(",").map(Number);
const WARM_UP = 5;
const TURNS = Number(values.turns);

/** Real clips where there are some. */
function clips() {
  const folder = values.clips;
  if (!folder || !existsSync(folder)) return [readFileSync(SAMPLE)];
  return readdirSync(folder)
    .filter((name) => /\.(wav|flac|mp3)$/.test(name))
    .map((name) => readFileSync(join(folder, name)));
}

const CONTENDERS = [
  { name: "pools on", flags: [] },
  { name: "pools off", flags: ["--no-pools"] },
  { name: "one at a time", flags: ["--concurrency", "1"] },
  { name: "two models, one thread each", flags: ["--models", "2", "--threads", "1"] },
  { name: "encoder thread", flags: ["--encoder-thread"] },
  { name: "encoder thread, one thread a graph", flags: ["--encoder-thread", "--threads", "1"] },
  { name: "one at a time, one thread a graph", flags: ["--concurrency", "1", "--threads", "1"] },
].filter(({ name }) => values.only === undefined || values.only.split(";").includes(name));

async function start(flags) {
  const args = [
    "serve",
    "--port",
    "0",
    "--model",
    values.model,
    "--offline",
    "--runtime",
    values.runtime,
    ...flags,
  ];
  const runtime = /deno$/.test(values.program) ? ["run", "--allow-all", "--quiet"] : [];
  const child = spawn(values.program, [...runtime, CLI, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  const url = await new Promise((resolve, reject) => {
    child.stderr.on("data", (data) => {
      stderr += data;
      const found = stderr.match(/http:\/\/127\.0\.0\.1:\d+/);
      if (found) resolve(found[0]);
    });
    child.once("exit", (code) => reject(new Error(`the service ended with ${code}: ${stderr}`)));
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  process.once("exit", () => child.kill("SIGKILL"));
  return {
    url,
    stats: async () => (await fetch(`${url}/stats`)).json(),
    kill: () => child.kill("SIGKILL"),
    async stop() {
      child.kill("SIGTERM");
      const code = await ended;
      if (code !== 0 || !stderr.includes("no leaks")) throw new Error(`ended with ${code}: ${stderr}`);
    },
  };
}

const sounds = clips();
// Without a handler a signal would end this program before it could end the service.
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => process.exit(1));

async function ask(url, i) {
  const form = new FormData();
  form.set("file", new Blob([sounds[i % sounds.length]]), "clip");
  form.set("model", values.model);
  form.set("language", "en");
  const began = performance.now();
  const answer = await fetch(`${url}/v1/audio/transcriptions`, { method: "POST", body: form });
  const { text, usage, error } = await answer.json();
  if (!answer.ok) throw new Error(`${answer.status}: ${error.message}`);
  return { text, milliseconds: performance.now() - began, seconds: usage.seconds };
}

/** So many requests by so many clients, each asking again once it was answered. */
async function load(url, clients, requests) {
  const times = [];
  const ends = [];
  let seconds = 0;
  let next = 0;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (next < requests) {
        const one = await ask(url, next++);
        times.push(one.milliseconds);
        ends.push(performance.now() - began);
        seconds += one.seconds;
      }
    }),
  );
  return { times, ends, seconds, elapsed: (performance.now() - began) / 1000 };
}

/** One line of the table, of all turns of a contender by so many clients. */
function rowOf(clients, turns) {
  const total = (of) => turns.reduce((sum, turn) => sum + of(turn), 0);
  const elapsed = total((turn) => turn.elapsed);
  const latencies = turns.flatMap(({ times }) => times);
  const sorted = [...latencies].sort((a, b) => a - b);
  const percentile = (p) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))]);
  return {
    clients,
    perSecond: Number((latencies.length / elapsed).toFixed(2)),
    timesRealTime: Number((total(({ seconds }) => seconds) / elapsed).toFixed(1)),
    p50: percentile(0.5),
    p95: percentile(0.95),
    p99: percentile(0.99),
    loopP99: Math.max(...turns.map(({ loopP99 }) => loopP99 ?? 0)),
    gc: total(({ gc }) => gc),
    /** Of each request, and when it was done, from the beginning of its turn, in the order of their answers. */
    each: { latencies, ends: turns.map(({ ends }) => ends) },
  };
}

/** Hits and acquires by pool; those of threads' own pools are added up. */
function counts(pools) {
  const byPool = {};
  for (const { place, name, hits, acquires } of pools) {
    const key = `${place} ${name}`;
    const sum = byPool[key] ?? { hits: 0, acquires: 0 };
    byPool[key] = { hits: sum.hits + hits, acquires: sum.acquires + acquires };
  }
  return byPool;
}

/** Hit rates since the warm-up, of each pool and of all together. */
function hitRates(pools, before) {
  const earlier = counts(before);
  const all = { hits: 0, acquires: 0 };
  const rate = ({ hits, acquires }) => (acquires === 0 ? 1 : Number((hits / acquires).toFixed(4)));
  const rates = Object.entries(counts(pools)).map(([name, { hits, acquires }]) => {
    const { hits: hitsThen = 0, acquires: acquiresThen = 0 } = earlier[name] ?? {};
    const since = { hits: hits - hitsThen, acquires: acquires - acquiresThen };
    all.hits += since.hits;
    all.acquires += since.acquires;
    return [name, rate(since)];
  });
  return { all: rate(all), ...Object.fromEntries(rates) };
}

/** As many at once as there will be, so that pools and threads are as many as they get. */
async function warmUp(service, clients) {
  const { text } = await ask(service.url, 0);
  for (let i = 1; i < WARM_UP; i++) await ask(service.url, i);
  await load(service.url, clients, clients);
  return { text, pools: (await service.stats()).pools };
}

/** A service for some work, ended whatever comes of it. */
async function serving(flags, work) {
  const service = await start(flags);
  try {
    const result = await work(service);
    await service.stop();
    return result;
  } finally {
    service.kill();
  }
}

/** Contenders one after another, or in turns. */
async function* measureAll() {
  const together = TURNS === 1 ? CONTENDERS.map((contender) => [contender]) : [CONTENDERS];
  for (const contenders of together) yield* await servingAll(contenders, inTurns);
}

/** Services of all contenders at once, for some work with { contender, service } of each. */
function servingAll([contender, ...rest], work, started = []) {
  return serving(contender.flags, (service) => {
    const all = [...started, { contender, service }];
    return rest.length > 0 ? servingAll(rest, work, all) : work(all);
  });
}

async function inTurns(all) {
  const states = [];
  for (const { contender, service } of all) {
    states.push({ contender, service, rows: [], ...(await warmUp(service, Math.max(...CLIENTS))) });
  }
  for (const clients of CLIENTS) {
    for (const state of states) state.turns = [];
    for (let turn = 0; turn < TURNS; turn++) {
      // Who was last begins the next: neither is always the one after the other.
      for (const { service, turns } of turn % 2 === 0 ? states : states.toReversed()) {
        turns.push(await measured(service, clients));
      }
    }
    for (const { rows, turns } of states) rows.push(rowOf(clients, turns));
  }
  const results = [];
  for (const { contender, service, text, pools, rows } of states) {
    const { leaks, pools: now } = await service.stats();
    results.push({ name: contender.name, text, rows, leaks, hitRates: hitRates(now, pools) });
  }
  return results;
}

/** One turn's load, and what it did to the service. */
async function measured(service, clients) {
  await service.stats(); // resets the delay
  const before = (await service.stats()).process.gcTime ?? 0;
  const turn = await load(service.url, clients, Number(values.requests) / TURNS);
  const { eventLoopDelay, gcTime } = (await service.stats()).process;
  return { ...turn, loopP99: eventLoopDelay?.p99, gc: Math.round((gcTime ?? 0) - before) };
}

/** Memory over many requests of the shortest clip, by four clients. */
async function soak(service) {
  const { pools: warm } = await warmUp(service, 4);
  sounds.sort((a, b) => a.length - b.length);
  sounds.length = 1;
  const total = Number(values.soak);
  const points = [];
  let done = 0;
  for (const upTo of [100, 200, 400, 700, 1000].map((part) => Math.round((part * total) / 1000))) {
    await load(service.url, 4, upTo - done);
    done = upTo;
    const { process: figures, pools, leaks } = await service.stats();
    points.push({
      requests: done,
      rssMiB: Math.round(figures.rss / 2 ** 20),
      heapMiB: Math.round(figures.heapUsed / 2 ** 20),
      leaks: leaks.length,
      hitRates: hitRates(pools, warm),
    });
  }
  const [first, last] = [points[0], points.at(-1)];
  return { points, growth: Number((last.rssMiB / first.rssMiB - 1).toFixed(4)) };
}

const report = {
  machine: `${cpus()[0].model}, ${availableParallelism()} cores, load ${loadavg()[0].toFixed(1)} before`,
  model: values.model,
  clips: sounds.length,
  contenders: [],
};
for await (const result of measureAll()) {
  report.contenders.push(result);
  if (values.json) continue;
  console.log(
    `\n${result.name}: ${report.machine}, ${values.model}, ${report.clips} clips, ${values.requests} requests a row`,
  );
  console.table(result.rows.map(({ each: _, ...row }) => row));
}
if (Number(values.soak) > 0) {
  report.soak = await serving([], soak);
  if (!values.json) {
    console.log("\nmemory");
    console.table(report.soak.points.map(({ hitRates: _, ...point }) => point));
    console.log(`growth of RSS: ${(100 * report.soak.growth).toFixed(1)} %`);
  }
}
console.log(
  values.json
    ? JSON.stringify(report, null, 2)
    : `hit rates: ${JSON.stringify(report.contenders[0].hitRates)}`,
);
