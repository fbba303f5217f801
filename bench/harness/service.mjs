/** bench/service.mjs as a suite: the service runs on Node, Deno or Bun, its load in a process of Node's. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { quantiles, spread } from "../mel/spread.mjs";
import { ALLOWED_ERRORS, wordErrors } from "../suites/spoken-words.mjs";

/** What the sample says. */
const TEXT = readFileSync(new URL("../../samples/hello.txt", import.meta.url), "utf8");
const PROGRAM = fileURLToPath(new URL("../service.mjs", import.meta.url));
const REQUESTS = 24;
/** In each of which the two contenders are loaded one after the other, by turns. */
const TURNS = 3;
const CLIENTS = [1, 4];
const CONTENDERS = ["pools on", "pools off"];
/** Answers that make a sample of the throughput: those of all clients, as they come in bursts. */
const BLOCK = 4;
const MAX_MS = 300_000;
const DIGITS = 4;

const brief = (x) => Number(x.toPrecision(DIGITS));

/**
 * @param program path of the runtime that serves
 * @returns as measureSuite: by how many clients ask at once, ms that each request took, and between two answers
 */
export async function serviceSuite(program) {
  const args = ["--json", "--soak", "0", "--clips", "", "--only", CONTENDERS.join(";"), "--program", program];
  const counts = ["--requests", String(REQUESTS), "--turns", String(TURNS), "--clients", CLIENTS.join(",")];
  const running = promisify(execFile)(process.execPath, [PROGRAM, ...args, ...counts], {
    maxBuffer: 1e8,
    timeout: MAX_MS,
  });
  const kill = () => running.child.kill();
  process.once("exit", kill);
  const { stdout } = await running.catch((error) => {
    throw new Error(error.killed ? `no end after ${MAX_MS / 1000} s` : saidLast(error.stderr));
  });
  process.off("exit", kill);
  const { contenders } = JSON.parse(stdout);
  return serviceResult(contenders);
}

/** The error among the lines that Node prints of one. */
function saidLast(stderr = "") {
  return /^\w*Error: .*$/m.exec(stderr)?.[0] ?? `it failed: ${stderr.trim().split("\n").at(-1)}`;
}

/** @param contenders of the JSON of bench/service.mjs */
export function serviceResult(contenders) {
  const jobs = contenders[0].rows.flatMap(({ clients }, row) => {
    const name = `${clients} client${clients === 1 ? "" : "s"}`;
    const job = (what, unit, samplesOf) => ({
      name: `${name}, ${what}`,
      unit,
      entries: contenders.map((contender) => entry(contender, samplesOf(contender.rows[row].each))),
    });
    return [
      job("a request", "ms", ({ latencies }) => latencies),
      // One client's is the same.
      ...(clients > 1 ? [job("between answers", "ms", ({ ends }) => betweenAnswers(ends))] : []),
    ];
  });
  return { suite: "service", title: "Service, Whisper tiny, the sample", jobs, left: [] };
}

function entry({ name, text, leaks }, values) {
  const common = {
    name: `wavepool serve, ${name}`,
    kind: name === "pools on" ? "wavepool" : "yardstick",
  };
  if (leaks.length > 0) return { ...common, failed: `${leaks.length} leases leaked` };
  const difference = wordErrors(TEXT, text);
  if (!(difference <= ALLOWED_ERRORS)) return { ...common, failed: `wrong text: ${text}` };
  const samples = values.map(brief);
  return {
    ...common,
    ...spread(samples),
    samples,
    difference,
    latencies: { count: samples.length, quantiles: quantiles(samples) },
  };
}

/** Mean time between answers, of each block of them in a turn. */
function betweenAnswers(turns) {
  return turns.flatMap((ends) => {
    const blocks = [];
    for (let i = BLOCK; i <= ends.length; i += BLOCK) {
      blocks.push((ends[i - 1] - (i === BLOCK ? 0 : ends[i - BLOCK - 1])) / BLOCK);
    }
    return blocks;
  });
}
