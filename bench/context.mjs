/**
 * How much of its 30 s an encoder needs: word error rate against time for rules of encoder context, over single clips,
 * in one process, the rules in a new order for every clip.
 *
 *     npm run bench:context -- --speech DIR
 *     npm run bench:context -- --speech DIR --model tiny --clips 6 --rules full,auto,10+2
 *     npm run bench:context -- --speech DIR --languages fr,es,ru --settings defaults --rules full,auto [--detect]
 *
 *   --rules R,…       full, auto, or LEAST+MARGIN: at least so many seconds, and so many after the clip's end, with the silence
 *                     tail behind them; without it plain:LEAST+MARGIN
 *   --settings S      same (default): greedy, no temperatures; defaults: as wavepool does by itself. Either way a text of a short
 *                     context that does not pass the thresholds is decoded again with the full window
 *   --languages L,…   the folder holds one for each of them (bench/wer/languages.mjs), rather than English clips
 *   --detect          wavepool is not told the language: how often it finds it is printed too
 *   --timestamps T    none (default) or segment
 *   --speech, --model, --threads, --clips, --rounds, --provider, --json   as in bench/wer/main.mjs; --clips of each language
 */
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { machineLine } from "./harness/machine.mjs";
import { seededNoise } from "./mel/signal.mjs";
import { spread } from "./mel/spread.mjs";
import { start } from "./wer/contenders.mjs";
import { bootstrap, countErrors, normalWords, rates } from "./wer/error-rate.mjs";
import { figure } from "./wer/report.mjs";
import { modelDirectory, rawFolder, readClips, spellingsOf } from "./wer/speech.mjs";

/** Seconds: longer sound has several windows, of which all but the last are full. */
const WINDOW = 30;
/** Seconds at which clips are split into groups. */
const LENGTHS = [0, 2, 8, WINDOW];
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
    rules: text("full,auto,8+0,8+1,10+2,15+2,plain:10+2,plain:15+2"),
    settings: text("same"),
    languages: text(),
    detect: { type: "boolean", default: false },
    timestamps: text("none"),
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
const clips = await clipsOf(given.languages?.split(","));
const raw = rawFolder();
const files = clips.map(({ name, samples }) => raw.write(name, samples));

const wavepool = await start("wavepool", {
  directory,
  threads: Number(given.threads),
  provider: given.provider,
  settings: given.settings,
  timestamps: given.timestamps,
  context: FULL,
  beam: 1,
});
await assertRulesAreTaken();
console.log(machineLine());
console.log(
  `${given.model}, ${given.provider}, ${given.threads} threads, ${given.languages ?? "en"}${given.detect ? " (detected)" : ""}, timestamps ${given.timestamps}, ` +
    `${given.settings === "same" ? "greedy alone" : "with temperatures"}; 95 % intervals by bootstrap over clips, ratios within clips, median [p10 … p90]`,
);
for (const { context } of rules) await wavepool.transcribe(files[0], { context });
const results = await measure();
wavepool.end();
for (const [title, group] of groups()) print(title, group);
if (given.json !== undefined) writeFileSync(given.json, JSON.stringify(results, null, 2));

/** Clips of less than a window, each with its language. */
async function clipsOf(languages) {
  const count = given.clips === undefined ? undefined : Number(given.clips);
  const lists = (languages ?? ["en"]).map(async (language) => {
    const folder = languages ? join(given.speech ?? "", language) : given.speech;
    return (await readClips(folder, count)).map((clip) => ({ ...clip, language }));
  });
  return (await Promise.all(lists)).flat().filter(({ seconds }) => seconds < WINDOW);
}

/** What `transcribe({ context })` takes for a rule, the names of ContextRule in src/transcription/options.ts. */
function contextOf(name) {
  if (name === FULL || name === "auto") return name;
  const [least, margin] = name.replace("plain:", "").split("+").map(Number);
  if (least >= 0 && margin >= 0) return { least, margin, tail: !name.startsWith("plain:") };
  throw new RangeError(
    `--rules ${name} is not understood; give full, auto or LEAST+MARGIN in seconds, such as 10+2 or plain:10+2`,
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
  const measured = clips.map(({ name, language, seconds }) => ({ name, language, seconds }));
  for (const [i, clip] of measured.entries()) {
    const { language } = clip;
    for (const { name } of rules) clip[name] = { times: [], encoder: [] };
    for (let round = 0; round < rounds; round++) {
      const order = rules
        .map((rule) => ({ rule, place: random() }))
        .sort((a, b) => a.place - b.place)
        .map(({ rule }) => rule);
      for (const { name, context } of order) {
        const told = given.detect ? "auto" : language;
        const heard = await wavepool.transcribe(files[i], { context, language: told });
        clip[name].text = heard.text;
        clip[name].right = heard.language === language;
        clip[name].times.push(heard.ms);
        clip[name].encoder.push(heard.encoder);
      }
    }
    for (const { name } of rules) {
      const entry = clip[name];
      entry.counts = countErrors(clips[i].words, entry.text, spellings, language);
      entry.words = normalWords(entry.text, spellings, language).join(" ");
    }
  }
  return measured;
}

/** All clips, those of each length and those of each language. */
function groups() {
  const languages = [...new Set(results.map(({ language }) => language))];
  const lengths = LENGTHS.slice(1).map((to, i) => [LENGTHS[i], to]);
  return [
    ["all", results],
    ...lengths.map(([from, to]) => [
      `${from} to ${to} s`,
      results.filter(({ seconds }) => seconds >= from && seconds < to),
    ]),
    ...(languages.length > 1
      ? languages.map((one) => [one, results.filter(({ language }) => language === one)])
      : []),
  ].filter(([, list]) => list.length > 0);
}

function print(title, list) {
  const wer = (name) => (list) => rates(list.map((clip) => clip[name].counts)).wer;
  const percent = (x) => (100 * x).toFixed(1);
  const interval = ({ value, low, high }) => `${percent(value)} [${percent(low)} … ${percent(high)}]`;
  const audio = list.reduce((sum, clip) => sum + clip.seconds, 0);
  console.log(`\n${title}: ${list.length} clips, ${Math.round(audio)} s`);
  console.log(
    row([
      "rule (s)",
      "WER %",
      "less full's (paired)",
      "same words",
      ...(given.detect ? ["language right"] : []),
      "encoder ms",
      "real-time factor",
      "full / rule",
    ]),
  );
  for (const { name } of rules) {
    const ratios = list.flatMap((clip) => clip[name].times.map((ms, round) => clip[FULL].times[round] / ms));
    const work = (field) => list.reduce((sum, clip) => sum + spread(clip[name][field]).median, 0);
    console.log(
      row([
        name,
        interval(bootstrap(list, wer(name))),
        name === FULL ? "–" : interval(bootstrap(list, (some) => wer(name)(some) - wer(FULL)(some))),
        `${list.filter((clip) => clip[name].words === clip[FULL].words).length}`,
        ...(given.detect ? [`${list.filter((clip) => clip[name].right).length}`] : []),
        (work("encoder") / list.length).toFixed(0),
        (work("times") / 1000 / audio).toFixed(3),
        figure(ratios),
      ]),
    );
  }
}

function row(cells) {
  const widths = [12, 22, 24, 12, ...(given.detect ? [16] : []), 12, 18, 0];
  return `  ${cells.map((cell, i) => cell.padEnd(widths[i])).join("")}`;
}
