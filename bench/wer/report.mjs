/** What is printed. */
import { spread } from "../mel/spread.mjs";
import { CONTENDERS } from "./contenders.mjs";
import { bootstrap, rates } from "./error-rate.mjs";

/** Seconds below which a clip counts as short. */
const SHORT = 10;

const percent = (x) => `${(100 * x).toFixed(2)} %`;
const points = (x) => `${x >= 0 ? "+" : "−"}${(100 * Math.abs(x)).toFixed(2)}`;
const megabytes = (bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`;

/** Median, tenth and ninetieth percentile. */
export function figure(values, unit = "") {
  if (values.length === 0) return "–";
  const { p10, median, p90 } = spread(values);
  return `${median.toFixed(2)}${unit} [${p10.toFixed(2)} … ${p90.toFixed(2)}]`;
}

export function printLoaded(started) {
  for (const { name, loaded } of started) {
    console.log(
      `  ${CONTENDERS[name].label.padEnd(24)} loaded in ${seconds(loaded.ms)}, then ${megabytes(loaded.rss)} of memory`,
    );
  }
}

/**
 * Error rates, times and memory of single clips.
 *
 * @param clips seconds, and by contender: counts (error-rate.mjs) and turns of ms, first and peak
 */
export function printClips(clips, names) {
  const audio = clips.reduce((sum, clip) => sum + clip.seconds, 0);
  const short = clips.filter((clip) => clip.seconds < SHORT);
  const middle = (values) => spread(values).median;
  console.log(`\n${clips.length} clips, ${audio.toFixed(0)} s; ${short.length} are shorter than ${SHORT} s`);
  for (const name of names) {
    const counts = (list) => list.map((clip) => clip[name].counts);
    const wer = bootstrap(clips, (list) => rates(counts(list)).wer);
    const cer = bootstrap(clips, (list) => rates(counts(list)).cer);
    const times = clips.map((clip) => middle(clip[name].turns.map(({ ms }) => ms)));
    const work = times.reduce((sum, ms) => sum + ms, 0) / 1000;
    const peak = Math.max(...clips.flatMap((clip) => clip[name].turns.map((turn) => turn.peak)));
    const first = clips.flatMap((clip) => clip[name].turns.map((turn) => turn.first / 1000));
    console.log(`  ${CONTENDERS[name].label}`);
    console.log(
      `    word error rate ${interval(wer, percent)}, character error rate ${interval(cer, percent)}`,
    );
    console.log(
      `    real-time factor ${(work / audio).toFixed(3)}; first segment after ${figure(first, " s")}; peak memory ${megabytes(peak)}`,
    );
  }
  if (names.length < 2) return;
  const [ours, theirs] = names;
  for (const rate of ["wer", "cer"]) {
    const difference = bootstrap(
      clips,
      (list) =>
        rates(list.map((clip) => clip[ours].counts))[rate] -
        rates(list.map((clip) => clip[theirs].counts))[rate],
    );
    console.log(
      `  ${rate === "wer" ? "word" : "character"} error rate, ours less theirs (paired): ${interval(difference, points)} points`,
    );
  }
  const same = clips.filter((clip) => clip[ours].counts.text === clip[theirs].counts.text).length;
  console.log(`  same words in ${same} of ${clips.length} clips`);
  const ratios = (list, field) =>
    list.flatMap((clip) => clip[ours].turns.map((turn, i) => clip[theirs].turns[i][field] / turn[field]));
  console.log(
    `  time, theirs over ours, clips below ${SHORT} s (at least 3): ${figure(ratios(short, "ms"))} ×`,
  );
  console.log(`  time, theirs over ours, all clips: ${figure(ratios(clips, "ms"))} ×`);
  console.log(`  first segment, theirs over ours, all clips: ${figure(ratios(clips, "first"))} ×`);
}

/**
 * The joined sound.
 *
 * @param audio seconds
 * @param results by contender: turns, counts, judgement, slope, memory
 */
export function printJoined(audio, utterances, results, names) {
  console.log(`\n${utterances.length} clips joined, ${(audio / 60).toFixed(1)} min`);
  for (const name of names) {
    const { turns, counts, judgement, slope, memory } = results[name];
    const { wer, cer } = rates([counts]);
    console.log(`  ${CONTENDERS[name].label}`);
    console.log(
      `    word error rate ${percent(wer)}, character error rate ${percent(cer)}; ` +
        `real-time factor ${figure(turns.map(({ ms }) => ms / 1000 / audio))}; ` +
        `first segment after ${figure(
          turns.map(({ first }) => first / 1000),
          " s",
        )}`,
    );
    const { joints, pauses, near, lost, misheard, repeated, added } = judgement;
    const words = (indices) => list(indices.map((i) => utterances[i].words.toLowerCase()));
    if (joints) {
      console.log(
        `    segments that begin an utterance: ${right(joints)} of the true joint (at least 95 %); ${joints.count} for ${joints.all} joints`,
      );
      console.log(`    the same starts and the pause before: ${right(pauses)}`);
      console.log(`    all starts near a joint: ${right(near)}`);
    } else {
      console.log("    no segments: timestamps cannot be judged");
    }
    console.log(
      `    lost utterances ${lost.length}${words(lost)}; misheard ${misheard.length}${words(misheard)}; repeated ${repeated.length}${list(repeated)}; added ${added.length}${list(added)}`,
    );
    const peak = Math.max(...turns.map((turn) => turn.peak));
    const first = memory[0]?.[1];
    const last = memory.at(-1)?.[1];
    console.log(
      `    memory: ${memory.length} windows, first ${megabytes(first)}, last ${megabytes(last)}, peak ${megabytes(peak)}; ` +
        `growth ${(slope / 2 ** 20).toFixed(2)} MiB per minute of sound`,
    );
  }
  if (names.length < 2) return;
  const [ours, theirs] = names.map((name) => results[name].turns);
  const ratios = (field) => ours.map((turn, i) => theirs[i][field] / turn[field]);
  console.log(`  time, theirs over ours (at least 1.3): ${figure(ratios("ms"))} ×`);
  console.log(`  first segment, theirs over ours: ${figure(ratios("first"))} ×`);
}

function interval({ value, low, high }, show) {
  return `${show(value)} [${show(low)} … ${show(high)}]`;
}

function right({ right, count, share, median, worst }) {
  if (count === 0) return "none";
  return `${right} of ${count} within 0.5 s (${(100 * share).toFixed(1)} %; median ${median.toFixed(2)} s, worst ${worst.toFixed(2)} s)`;
}

/** Texts in brackets, their beginnings where they are long. */
function list(texts) {
  if (texts.length === 0) return "";
  const short = (text) =>
    text.length > 60 ? `${text.slice(0, 60)}… (${text.split(" ").length} words)` : text;
  return `: ${texts.map((text) => `"${short(text)}"`).join(", ")}`;
}
