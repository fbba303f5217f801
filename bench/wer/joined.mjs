/** Clips joined to one long sound whose joints are known, and what a transcription makes of it. */
import { seededNoise } from "../mel/signal.mjs";
import { spread } from "../mel/spread.mjs";
import { align, normalWords } from "./error-rate.mjs";
import { RATE } from "./rate.mjs";

const PAUSE = { least: 0.3, most: 1.5 };
/** Amplitude of the noise in pauses: -60 dB of full scale, as in a quiet room. */
const NOISE = 0.001;
/** Speech begins and ends with three frames of 20 ms above this share of the way from quiet to loud, in decibels. */
const SPEECH = 0.4;
const [QUIET, LOUD] = [0.05, 0.95];
const FRAME = 0.02 * RATE;
const FRAMES = 3;
/** Weight of the sample before, which is taken off: hum is not speech. */
const EMPHASIS = 0.97;
/** Seconds: a start so near to a joint belongs to it, and is right when it is at most this far off. */
const NEAR = 1.5;
const RIGHT = 0.5;
/** Of an utterance, words found at least; and words too many in a row at most. */
const FOUND = 0.3;
const EXTRA = 4;

/**
 * Joins clips with pauses of 0.3 to 1.5 s of low noise. The clips' own silence goes first, but for 60 ms on either side,
 * so that a joint is where speech begins.
 *
 * @param clips samples (mono, 16 kHz) and words of each
 * @returns samples, and of each utterance its words and where its speech starts and ends, in seconds
 */
export function joinClips(clips, seed = 1) {
  const random = seededNoise(seed);
  const parts = [];
  const utterances = [];
  let length = 0;
  const add = (samples) => {
    parts.push([length, samples]);
    length += samples.length;
  };
  const pause = () => {
    const seconds = PAUSE.least + ((random() + 1) / 2) * (PAUSE.most - PAUSE.least);
    add(Float32Array.from({ length: Math.round(seconds * RATE) }, () => NOISE * random()));
  };
  for (const { samples, words } of clips) {
    pause();
    const { from, to } = speechIn(samples);
    const edge = FRAMES * FRAME;
    const cut = Math.max(0, from - edge);
    utterances.push({ words, start: (length + from - cut) / RATE, end: (length + to - cut) / RATE });
    add(samples.subarray(cut, to + edge));
  }
  pause();
  const samples = new Float32Array(length);
  for (const [at, part] of parts) samples.set(part, at);
  return { samples, utterances };
}

/**
 * Where speech begins and ends in a clip, in samples: by the level of its frames after pre-emphasis, between that of
 * its quietest and its loudest twentieth, so that noisy recordings are cut like clean ones.
 */
export function speechIn(samples) {
  const levels = [];
  for (let at = 0; at + FRAME <= samples.length; at += FRAME) {
    let sum = 0;
    for (let i = Math.max(1, at); i < at + FRAME; i++) sum += (samples[i] - EMPHASIS * samples[i - 1]) ** 2;
    levels.push(10 * Math.log10(sum + 1e-12));
  }
  const sorted = [...levels].sort((a, b) => a - b);
  const [quiet, loud] = [QUIET, LOUD].map((share) => sorted[Math.floor(share * sorted.length)]);
  const least = quiet + SPEECH * (loud - quiet);
  const holds = (i, step) => levels[i] > least && levels[i + step] > least && levels[i + 2 * step] > least;
  const first = levels.findIndex((_, i) => holds(i, 1));
  const last = levels.findLastIndex((_, i) => holds(i, -1));
  if (first < 0 || last < first) return { from: 0, to: samples.length };
  return { from: first * FRAME, to: (last + 1) * FRAME };
}

/**
 * Holds a transcription against what was joined.
 *
 * - `joints`: starts of segments whose first word is the first of an utterance, against where that begins;
 * - `pauses`: the same starts against the pause before the utterance, for Whisper lets segments touch: 0 within it;
 * - `near`: all starts within 1.5 s of a joint, whatever words they begin with (an utterance that has a second sentence
 *   so soon counts against it);
 * - `lost`: utterances in whose place less than 30 % as many words are heard;
 * - `misheard`: those of which less than 30 % of the words are right, though others stand in their place;
 * - `repeated`, `added`: four words too many in a row or more; three in a row of them are in the utterances around them
 *   or come twice, or not.
 *
 * @param segments of the transcription, start in seconds; undefined where it has none
 */
export function judge({ utterances }, { text, segments }, spellings) {
  const said = [];
  for (const [i, { words }] of utterances.entries()) {
    for (const [k, word] of normalWords(words, spellings).entries())
      said.push({ word, utterance: i, first: k === 0 });
  }
  const heard = segments
    ? segments.flatMap((segment, i) =>
        normalWords(segment.text, spellings).map((word, k) => ({ word, segment: i, first: k === 0 })),
      )
    : normalWords(text, spellings).map((word) => ({ word }));
  const { matches, inserted } = align(
    said.map(({ word }) => word),
    heard.map(({ word }) => word),
  );
  return {
    ...(segments ? judgeStarts(utterances, segments, said, heard, matches, inserted) : {}),
    ...missedUtterances(utterances, said, matches),
    ...extraRuns(said, heard, inserted),
  };
}

function judgeStarts(utterances, segments, said, heard, matches, inserted) {
  /** Word of the reference that each word heard stands at. */
  const place = new Map(inserted.map(({ index, before }) => [index, before]));
  for (const [i, { index }] of matches.entries()) if (index >= 0) place.set(index, i);
  const joints = [];
  const pauses = [];
  for (const [index, { first, segment }] of heard.entries()) {
    const at = first ? said[place.get(index)] : undefined;
    if (!at?.first || at.utterance === 0) continue; // the first one has no joint before it
    const { start } = segments[segment];
    joints.push(start - utterances[at.utterance].start);
    pauses.push(distance(start, utterances[at.utterance - 1].end, utterances[at.utterance].start));
  }
  const starts = utterances.slice(1).map(({ start }) => start);
  const near = segments
    .map(({ start }) => Math.min(...starts.map((joint) => Math.abs(start - joint))))
    .filter((distance) => distance <= NEAR);
  return {
    joints: { ...shareRight(joints), all: starts.length },
    pauses: shareRight(pauses),
    near: shareRight(near),
  };
}

/** From a point to an interval; 0 inside it. */
function distance(x, low, high) {
  return Math.max(0, low - x, x - high);
}

function shareRight(errors) {
  const right = errors.filter((error) => Math.abs(error) <= RIGHT).length;
  const sizes = errors.map(Math.abs);
  return {
    count: errors.length,
    right,
    share: errors.length > 0 ? right / errors.length : Number.NaN,
    median: errors.length > 0 ? spread(sizes).median : Number.NaN,
    worst: Math.max(0, ...sizes),
  };
}

function missedUtterances(utterances, said, matches) {
  const found = utterances.map(() => ({ all: 0, heard: 0, same: 0 }));
  for (const [i, { utterance }] of said.entries()) {
    found[utterance].all++;
    if (matches[i].index >= 0) found[utterance].heard++;
    if (matches[i].same) found[utterance].same++;
  }
  const lost = found.flatMap(({ all, heard }, i) => (heard < FOUND * all ? [i] : []));
  const wrong = found.flatMap(({ all, same }, i) => (same < FOUND * all ? [i] : []));
  return { lost, misheard: wrong.filter((i) => !lost.includes(i)) };
}

function extraRuns(said, heard, inserted) {
  const runs = [];
  for (const { index, before } of inserted) {
    const last = runs.at(-1);
    if (last && last.end === index) last.end++;
    else runs.push({ begin: index, end: index + 1, before });
  }
  const repeated = [];
  const added = [];
  for (const { begin, end, before } of runs) {
    if (end - begin < EXTRA) continue;
    const words = heard.slice(begin, end).map(({ word }) => word);
    const here = said[Math.min(before, said.length - 1)].utterance;
    const around = said.filter(({ utterance }) => Math.abs(utterance - here) <= 1).map(({ word }) => word);
    const again =
      sharesThree(words, around) ||
      words.some((_, i) => sharesThree(words.slice(i, i + 3), words.slice(i + 3)));
    (again ? repeated : added).push(words.join(" "));
  }
  return { repeated, added };
}

function sharesThree(words, others) {
  const line = ` ${others.join(" ")} `;
  return words.some((_, i) => i + 3 <= words.length && line.includes(` ${words.slice(i, i + 3).join(" ")} `));
}

/**
 * Growth of memory over a run: the slope of a least-squares line, in bytes per minute of sound, through the samples
 * after the first quarter, in which pools and caches fill.
 *
 * @param memory seconds of the sound and bytes, after each window
 */
export function memorySlope(memory) {
  const points = memory.slice(Math.floor(memory.length / 4));
  const mean = (k) => points.reduce((sum, point) => sum + point[k], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const over = points.reduce((sum, [seconds, bytes]) => sum + (seconds - x) * (bytes - y), 0);
  const under = points.reduce((sum, [seconds]) => sum + (seconds - x) ** 2, 0);
  return (60 * over) / under;
}
