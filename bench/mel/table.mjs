/** What is printed. */
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { CONTENDERS, REFERENCE } from "./contenders.mjs";
import { spread } from "./spread.mjs";

/** Processor, cores, runtime, and how busy the machine is. */
export function machine() {
  const { Bun, Deno } = globalThis;
  const runtime = Bun
    ? `Bun ${Bun.version}`
    : Deno
      ? `Deno ${Deno.version.deno}`
      : `Node ${process.versions.node}`;
  return `${cpus()[0].model}${processorModel()}, ${availableParallelism()} cores, ${process.platform} ${process.arch}, ${runtime}, load ${loadavg()[0].toFixed(2)}`;
}

/** Family and model, for a virtual machine may name no more than the brand. */
function processorModel() {
  try {
    const text = readFileSync("/proc/cpuinfo", "utf8");
    const field = (name) => new RegExp(`^${name}\\s*: (.*)$`, "m").exec(text)?.[1];
    const family = field("cpu family");
    return family ? ` (family ${family}, model ${field("model")})` : "";
  } catch {
    return ""; // not Linux
  }
}

/** One table: what every contender took for the same job. */
export function printJob({ mels, seconds, pad }, entries) {
  const frames = pad ? 3000 : seconds * 100;
  console.log(`\n${mels} mels, ${seconds} s${pad ? " padded to 30 s" : ""}, ${frames} frames`);
  console.log(
    row(
      "",
      "ms a call [p10 … p90]",
      "× base [p10 … p90]",
      "bytes a call",
      "same features (largest difference)",
    ),
  );
  const reference = entries.find(({ name }) => name === REFERENCE);
  for (const { name, times, bytes, difference } of entries) {
    const ratios = times.map((ms, round) => ms / reference.times[round]);
    const same = difference === undefined ? "no" : `yes (${difference.toExponential(1)})`;
    console.log(
      row(
        CONTENDERS[name].label,
        figure(times),
        name === REFERENCE ? "1" : figure(ratios),
        bytes === undefined ? "–" : amount(bytes),
        name === REFERENCE ? "reference" : same,
      ),
    );
  }
}

function row(label, ms, ratio, bytes, same) {
  return `  ${label.padEnd(34)}${ms.padEnd(30)}${ratio.padEnd(28)}${bytes.padEnd(14)}${same}`;
}

export function printNotes(names) {
  console.log("");
  for (const name of names) {
    const { label, note, other } = CONTENDERS[name];
    if (note) console.log(`  ${label}: ${note}`);
    if (other) console.log(`  ${label}: computes other features, ${other}`);
  }
}

/** One line for each figure that the package promises, from ratios within each round. */
export function printPromises(jobs) {
  console.log("\nin short, ratios within each round");
  for (const mels of [...new Set(jobs.map((job) => job.mels))]) {
    const times = (seconds, name) =>
      jobs
        .find((job) => job.mels === mels && job.seconds === seconds && !job.pad)
        ?.entries.find((entry) => entry.name === name)?.times;
    const line = (text, over, under) => {
      if (over && under) console.log(`  ${mels} mels: ${text} ${figure(over.map((ms, i) => ms / under[i]))}`);
    };
    line("base SIMD over native FFTW, 30 s (at most 1.0)", times(30, "base"), times(30, "native"));
    line("relaxed SIMD over native FFTW, 30 s", times(30, "relaxed"), times(30, "native"));
    line("transformers.js over base SIMD, 30 s (at least 75)", times(30, "transformers"), times(30, "base"));
    line("base over relaxed SIMD, 30 s (at least 1.15)", times(30, "base"), times(30, "relaxed"));
    line("30 s over 5 s, base SIMD (6)", times(30, "base"), times(5, "base"));
  }
}

function figure(values) {
  const { p10, median, p90 } = spread(values);
  return `${number(median)} [${number(p10)} … ${number(p90)}]`;
}

function number(x) {
  return x < 1 ? x.toFixed(3) : x < 10 ? x.toFixed(2) : x < 100 ? x.toFixed(1) : x.toFixed(0);
}

function amount(n) {
  if (n >= 1e6) return `${(n / 1e6).toFixed(1)} MB`;
  return n >= 1e4 ? `${(n / 1e3).toFixed(0)} kB` : `${n.toFixed(0)} bytes`;
}
