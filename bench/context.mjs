/**
 * How much of its 30 s an encoder needs: word error rate against time for rules of encoder context, over single clips,
 * in one process, the rules in a new order for every clip.
 *
 *     npm run bench:context -- --speech DIR
 *     npm run bench:context -- --speech DIR --model tiny --clips 6 --rules full,10+2,5+1
 *
 *   --rules R,…       full, or LEAST+MARGIN: at least so many seconds, and so many after the clip's end
 *   --step N          frames (10 ms) that contexts are rounded up to; default 50
 *   --settings S      same (default): greedy, no thresholds: the rule alone; defaults: a text that does not pass them is
 *                     decoded again, with the full window first
 *   --speech, --model, --threads, --clips, --rounds, --provider, --json   as in bench/wer/main.mjs
 */
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { seededNoise } from "./mel/signal.mjs";
import { spread } from "./mel/spread.mjs";
import { machine } from "./mel/table.mjs";
import { start } from "./wer/contenders.mjs";
import { bootstrap, countErrors, normalWords, rates } from "./wer/error-rate.mjs";
import { figure } from "./wer/report.mjs";
import { modelDirectory, rawFolder, readClips, spellingsOf } from "./wer/speech.mjs";

/** Seconds: longer sound has several windows, of which all but the last are full. */
const WINDOW = 30;
const SHORT = 10;
const FULL = "full";

const text = (value) => ({ type: "string", ...(value === undefined ? {} : { default: value }) });
const { values: given } = parseArgs({
  options: {
    speech: text(process.env.WAVEPOOL_SPEECH),
    model: text("base"),
    threads: text(String(Math.min(4, availableParallelism()))),
    clips: text(),
    rounds: text("1"),
    provider: text("wasm"),
    rules: text("full,5+2,8+2,10+0,10+1,10+2,10+4,12+2,15+2,20+2"),
    step: text("50"),
    settings: text("same"),
    json: text(),
  },
});
const rules = [...new Set([FULL, ...given.rules.split(",")])].map((name) => ({
  name,
  context: contextOf(name),
}));
const rounds = Number(given.rounds);
const directory = modelDirectory(given.model);
const spellings = spellingsOf(directory);
const all = await readClips(given.speech, given.clips === undefined ? undefined : Number(given.clips));
const clips = all.filter(({ seconds }) => seconds < WINDOW);
const raw = rawFolder();
const files = clips.map(({ name, samples }) => raw.write(name, samples));

const wavepool = await start("wavepool", {
  directory,
  threads: Number(given.threads),
  provider: given.provider,
  settings: given.settings,
  timestamps: "none",
  context: FULL,
  beam: 1,
});
await assertRulesAreTaken();
console.log(machine());
console.log(
  `${given.model}, ${given.provider}, ${given.threads} threads, English, no timestamps, ${given.settings === "same" ? "greedy alone" : "with fallback"}; ${clips.length} clips, ` +
    `${clips.filter(({ seconds }) => seconds < SHORT).length} below ${SHORT} s; 95 % intervals by bootstrap over clips, ratios within clips, median [p10 … p90]`,
);
for (const { context } of rules) await wavepool.transcribe(files[0], { context });
const results = await measure();
wavepool.end();
print();
if (given.json !== undefined) writeFileSync(given.json, JSON.stringify(results, null, 2));

/**
 * THE HOOK: what `transcribe({ context })` takes for a rule, the names of ContextRule in src/transcription/context.ts.
 */
function contextOf(name) {
  if (name === FULL) return FULL;
  const [least, margin] = name.split("+").map(Number);
  if (least >= 0 && margin >= 0) return { least, margin, step: Number(given.step) };
  throw new RangeError(
    `--rules ${name} is not understood; give full or LEAST+MARGIN in seconds, such as 10+2`,
  );
}

/** A build that ignores the option would show one curve for all rules. */
async function assertRulesAreTaken() {
  try {
    await wavepool.transcribe(files[0], { context: "nonsense" });
  } catch {
    return;
  }
  wavepool.end();
  throw new Error("this build of wavepool ignores the option context: nothing to compare");
}

async function measure() {
  const random = seededNoise(clips.length);
  const measured = clips.map(({ name, seconds }) => ({ name, seconds }));
  for (const [i, clip] of measured.entries()) {
    for (const { name } of rules) clip[name] = { times: [] };
    for (let round = 0; round < rounds; round++) {
      const order = rules
        .map((rule) => ({ rule, place: random() }))
        .sort((a, b) => a.place - b.place)
        .map(({ rule }) => rule);
      for (const { name, context } of order) {
        const { text, ms } = await wavepool.transcribe(files[i], { context });
        clip[name].text = text;
        clip[name].times.push(ms);
      }
    }
    for (const { name } of rules) {
      const entry = clip[name];
      entry.counts = countErrors(clips[i].words, entry.text, spellings);
      entry.words = normalWords(entry.text, spellings).join(" ");
    }
  }
  return measured;
}

function print() {
  const wer = (name) => (list) => rates(list.map((clip) => clip[name].counts)).wer;
  const percent = (x) => (100 * x).toFixed(2);
  const interval = ({ value, low, high }) => `${percent(value)} [${percent(low)} … ${percent(high)}]`;
  const audio = results.reduce((sum, clip) => sum + clip.seconds, 0);
  console.log(
    row([
      "rule (s)",
      "WER %",
      "less full's (paired)",
      "same words",
      "real-time factor",
      `full / rule, < ${SHORT} s`,
      "full / rule, all",
    ]),
  );
  for (const { name } of rules) {
    const ratios = (list) =>
      list.flatMap((clip) => clip[name].times.map((ms, round) => clip[FULL].times[round] / ms));
    const work = results.reduce((sum, clip) => sum + spread(clip[name].times).median, 0) / 1000;
    console.log(
      row([
        name,
        interval(bootstrap(results, wer(name))),
        name === FULL ? "–" : interval(bootstrap(results, (list) => wer(name)(list) - wer(FULL)(list))),
        `${results.filter((clip) => clip[name].words === clip[FULL].words).length} of ${results.length}`,
        (work / audio).toFixed(3),
        figure(ratios(results.filter((clip) => clip.seconds < SHORT))),
        figure(ratios(results)),
      ]),
    );
  }
}

function row(cells) {
  const widths = [10, 24, 26, 12, 18, 22, 0];
  return `  ${cells.map((cell, i) => cell.padEnd(widths[i])).join("")}`;
}
