/** The process of one contender: answers requests, a line each, until its input ends (bench/mel/converse.mjs). */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const LOAD = { wavepool: "./wavepool.mjs", transformers: "./transformers.mjs" };
const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
console.log = console.error; // what a contender says is no answer

let transcribe;

const requests = {
  async load(options) {
    const start = performance.now();
    const { load } = await import(LOAD[process.argv[2]]);
    transcribe = await load(options);
    return { ms: performance.now() - start, rss: process.memoryUsage.rss(), peak: peak() };
  },
  /** Text, segments, milliseconds to the first of them and to the end, and memory after each window. */
  async transcribe(file, override) {
    const samples = readRaw(file);
    const memory = [];
    const start = performance.now();
    const result = await transcribe(
      samples,
      (seconds) => memory.push([seconds, process.memoryUsage.rss()]),
      override,
    );
    const ms = performance.now() - start;
    return { ...result, ms, first: result.first ?? ms, memory, peak: peak() };
  },
};

/** Most bytes that the process had in memory so far. */
function peak() {
  return process.resourceUsage().maxRSS * 1024;
}

function readRaw(file) {
  const { buffer, byteOffset, byteLength } = readFileSync(file);
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...values] = JSON.parse(line);
  try {
    answer({ value: (await requests[name](...values)) ?? null });
  } catch (error) {
    answer({ error: error.stack });
  }
}
process.exit(0); // worker threads of a runtime would keep it
