/**
 * Word error rate, speed and memory of wavepool beside @huggingface/transformers: the same weights, the same threads,
 * the same samples, in one run, each in a process of its own, in a new order for every clip.
 *
 *     npm run bench:wer -- --speech DIR
 *     npm run bench:wer -- --speech DIR --long
 *     npm run bench:wer -- --speech DIR --model tiny --clips 6 --only wavepool --context full
 *
 *   --speech DIR      recordings with a transcripts.tsv of file, tab, words; default $WAVEPOOL_SPEECH
 *   --model M         tiny, base (default) or a directory in Hugging Face's ONNX layout
 *   --threads N       of each; default: cores of this machine, at most 4
 *   --clips N         so many, spread evenly over the folder; default all
 *   --only NAME       wavepool or transformers
 *   --long            the clips joined to one sound with known joints, instead of one by one
 *   --timestamps T    none (default for clips) or segment (default with --long)
 *   --provider P      wasm (default) or native (onnxruntime-node)
 *   --context C       auto (default) or full: wavepool's encoder window; transformers.js always has 30 s
 *   --beam N          beams of wavepool, default 1; transformers.js has no beam search for Whisper
 *   --settings S      same (default): greedy, English, no fallback, no thresholds; defaults: each one's own, English
 *                     (wavepool: fallback over temperatures, thresholds; transformers.js: neither)
 *   --rounds N        turns per clip, default 1
 *   --json FILE       writes text and times of every clip
 */
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { machineLine } from "../harness/machine.mjs";
import { seededNoise } from "../mel/signal.mjs";
import { spread } from "../mel/spread.mjs";
import { CONTENDERS, prepare, start } from "./contenders.mjs";
import { countErrors, normalWords } from "./error-rate.mjs";
import { joinClips, judge, memorySlope } from "./joined.mjs";
import { RATE } from "./rate.mjs";
import { printClips, printJoined, printLoaded } from "./report.mjs";
import { modelDirectory, rawFolder, readClips, spellingsOf } from "./speech.mjs";

const text = (value) => ({ type: "string", ...(value === undefined ? {} : { default: value }) });
const { values: given } = parseArgs({
  options: {
    speech: text(process.env.WAVEPOOL_SPEECH),
    model: text("base"),
    threads: text(String(Math.min(4, availableParallelism()))),
    clips: text(),
    only: text(Object.keys(CONTENDERS).join(",")),
    long: { type: "boolean", default: false },
    timestamps: text(),
    provider: text("wasm"),
    context: text("auto"),
    beam: text("1"),
    settings: text("same"),
    rounds: text("1"),
    json: text(),
  },
});
const names = given.only.split(",");
for (const name of names) oneOf("only", name, Object.keys(CONTENDERS));
const rounds = whole("rounds", given.rounds);
const directory = modelDirectory(given.model);
const options = {
  directory,
  threads: whole("threads", given.threads),
  provider: oneOf("provider", given.provider, ["wasm", "native"]),
  settings: oneOf("settings", given.settings, ["same", "defaults"]),
  timestamps: timestamps(),
  context: oneOf("context", given.context, ["auto", "full"]),
  beam: whole("beam", given.beam),
};

prepare(names);
const spellings = spellingsOf(directory);
const clips = await readClips(
  given.speech,
  given.clips === undefined ? undefined : whole("clips", given.clips),
);
const raw = rawFolder();
console.log(machineLine());
console.log(
  `${given.model}, ${options.provider}, ${options.threads} threads; ` +
    (options.settings === "same" ? "greedy, English, no fallback" : "each one's defaults, English") +
    `, timestamps ${options.timestamps ?? "by default"}, context ${options.context}` +
    `${options.beam > 1 ? `, ${options.beam} beams (wavepool only)` : ""}` +
    `; one process each; median [p10 … p90], 95 % intervals by bootstrap over clips`,
);
if (given.long) await long();
else await single();

async function single() {
  const started = await startAll();
  const random = seededNoise(clips.length);
  const files = clips.map(({ name, samples }) => raw.write(name, samples));
  for (const contender of started) await contender.transcribe(files[0]); // compiles and fills pools
  const results = clips.map(({ name, seconds, words }) => ({ name, seconds, words }));
  for (const [i, result] of results.entries()) {
    for (const { name } of started) result[name] = { turns: [] };
    for (let round = 0; round < rounds; round++) {
      for (const contender of shuffled(started, random)) {
        const turn = await contender.transcribe(files[i]);
        const entry = result[contender.name];
        entry.text = turn.text;
        entry.turns.push({ ms: turn.ms, first: turn.first, peak: turn.peak });
      }
    }
    for (const { name } of started) {
      const heard = result[name].text;
      const counts = countErrors(result.words, heard, spellings);
      result[name].counts = { ...counts, text: normalWords(heard, spellings).join(" ") };
    }
    progress(`${i + 1} of ${clips.length} clips`);
  }
  for (const { end } of started) end();
  progress("");
  printClips(results, names);
  save(results);
}

async function long() {
  const joined = joinClips(clips);
  const file = raw.write("joined", joined.samples);
  const words = joined.utterances.map((utterance) => utterance.words).join(" ");
  const started = await startAll();
  const warmUp = raw.write("first", clips[0].samples);
  const random = seededNoise(rounds);
  const results = Object.fromEntries(names.map((name) => [name, { turns: [], slopes: [] }]));
  for (const contender of started) await contender.transcribe(warmUp);
  for (let round = 0; round < rounds; round++) {
    for (const contender of shuffled(started, random)) {
      progress(`round ${round + 1}, ${contender.name}`);
      const turn = await contender.transcribe(file);
      const result = results[contender.name];
      Object.assign(result, { text: turn.text, segments: turn.segments, memory: turn.memory });
      result.turns.push({ ms: turn.ms, first: turn.first, peak: turn.peak });
      result.slopes.push(memorySlope(turn.memory));
    }
  }
  for (const { end } of started) end();
  progress("");
  for (const result of Object.values(results)) {
    result.counts = countErrors(words, result.text, spellings);
    result.judgement = judge(joined, result, spellings);
    result.slope = spread(result.slopes).median;
  }
  printJoined(joined.samples.length / RATE, joined.utterances, results, names);
  save({ utterances: joined.utterances, ...results });
}

async function startAll() {
  const started = [];
  for (const name of names) started.push(await start(name, options));
  printLoaded(started);
  return started;
}

function shuffled(items, random) {
  return items
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

function progress(line) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
}

function save(results) {
  if (given.json !== undefined) writeFileSync(given.json, JSON.stringify(results, null, 2));
}

/** Each one's own (undefined) only where its defaults are wanted and the joints of a long sound are not. */
function timestamps() {
  if (given.timestamps !== undefined) return oneOf("timestamps", given.timestamps, ["none", "segment"]);
  if (given.long) return "segment";
  return given.settings === "defaults" ? undefined : "none";
}

function oneOf(name, value, allowed) {
  if (allowed.includes(value)) return value;
  throw new RangeError(`--${name} ${value} is not understood; give ${allowed.join(" or ")}`);
}

function whole(name, value) {
  const number = Number(value);
  if (Number.isInteger(number) && number > 0) return number;
  throw new RangeError(`--${name} ${value} is not understood; give a whole number above 0`);
}
