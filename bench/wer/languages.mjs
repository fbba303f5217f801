/**
 * Recordings in other languages with their words, for bench/context.mjs: a folder a language, each with a transcripts.tsv.
 * People read them; nothing of them is part of this repository. Two packages of Debian main carry both sound and words:
 *
 *   tuxpaint-stamps-default   descriptions of stamps, one amateur speaker a language, 44.1 kHz, most below 3 s
 *   festvox-ru                sentences of novels, one speaker, 16 kHz, 6 to 20 s
 *
 *     npm run bench:languages -- --out DIR [--languages fr,es,ru] [--clips 42]
 *
 * A third of the clips lasts less than 2 s, a third 2 to 8 s, a third 8 to 22 s: of those most are short ones of the speaker,
 * joined with pauses. Texts with digits, symbols or brackets are left out, for they are read in more ways than one.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { createCore, decodeAudio, monoReader } from "../../dist/index.js";
import { joinClips } from "./joined.mjs";
import { RATE } from "./rate.mjs";

const STAMPS = "tuxpaint-stamps-default";
const NOVELS = "festvox-ru";
const SHORT = 2;
const LONG = 8;
/** Seconds: from 24 s on wavepool encodes 30 s anyway. */
const LONGEST = 22;
const WORDS = 2;
/** First bytes of Ogg and WAV. */
const SOUNDS = new Set(["OggS", "RIFF"]);

const { values: given } = parseArgs({
  options: {
    out: { type: "string" },
    languages: { type: "string", default: "fr,es,ca,ro,ru,el" },
    clips: { type: "string", default: "42" },
  },
});
if (given.out === undefined) throw new RangeError("--out is missing; give a folder for the recordings");
const out = resolve(given.out);
const third = Math.floor(Number(given.clips) / 3);
const core = await createCore({ threads: false });
const stamps = filesOf(unpacked(STAMPS));
for (const language of given.languages.split(",")) await build(language);

async function build(language) {
  const read = [];
  for (const { file, words } of wanted(language)) {
    const bytes = readFileSync(file);
    // A few stamps have a file under the name of a sound that is none.
    if (SOUNDS.has(bytes.toString("latin1", 0, 4))) read.push(await recording(bytes, words));
  }
  const between = (low, high) => read.filter(({ seconds }) => seconds >= low && seconds < high);
  const [short, middle] = [spreadOver(between(0, SHORT), third), spreadOver(between(SHORT, LONG), third)];
  const left = read.filter((clip) => clip.seconds < LONG && !short.includes(clip) && !middle.includes(clip));
  const whole = spreadOver(between(LONG, LONGEST), third);
  const clips = [...short, ...middle, ...whole, ...joined(left, third - whole.length)];
  const folder = join(out, language);
  mkdirSync(folder, { recursive: true });
  const lines = clips.map(({ samples, words }, i) => {
    const name = `${language}-${String(i).padStart(3, "0")}.wav`;
    writeFileSync(join(folder, name), wav(samples));
    return `${name}\t${words}\n`;
  });
  writeFileSync(join(folder, "transcripts.tsv"), lines.join(""));
  const seconds = clips.reduce((sum, { samples }) => sum + samples.length, 0) / RATE;
  console.log(`${folder}: ${clips.length} clips, ${Math.round(seconds)} s`);
}

/** Files and words of a language, in the order of their paths; of equal words the first, for they may be one recording. */
function wanted(language) {
  const ending = `_desc_${language}.ogg`;
  const described = stamps
    .filter((file) => file.endsWith(ending) && existsSync(file.replace(ending, ".txt")))
    .map((file) => ({ file, words: description(file.replace(ending, ".txt"), language) }));
  const all = language === "ru" ? [...novels(), ...described] : described;
  const seen = new Set();
  return all.filter(({ words }) => {
    const taken =
      words.split(" ").length >= WORDS && !/[\p{N}\p{S}%&/()[\]]/u.test(words) && !seen.has(words);
    seen.add(words);
    return taken;
  });
}

/** The line of a stamp's texts that is in the language; empty where there is none. */
function description(file, language) {
  const start = `${language}.utf8=`;
  const line = readFileSync(file, "utf8")
    .split("\n")
    .find((line) => line.startsWith(start));
  return line?.slice(start.length).trim().replace(/\s+/g, " ") ?? "";
}

/** `( ru_0001 "…" )` a line; a plus before a vowel is its stress. */
function novels() {
  const files = filesOf(unpacked(NOVELS));
  const table = readFileSync(
    files.find((file) => file.endsWith("/txt.done.data")),
    "utf8",
  );
  const sounds = new Map(
    files.filter((file) => file.endsWith(".wav")).map((file) => [file.split("/").at(-1), file]),
  );
  return [...table.matchAll(/^\( *(\S+) "(.*)" *\)/gm)]
    .map(([, name, words]) => ({ file: sounds.get(`${name}.wav`), words: words.replaceAll("+", "") }))
    .filter(({ file }) => file !== undefined);
}

async function recording(bytes, words) {
  const reader = monoReader(core, await decodeAudio(bytes), RATE);
  const samples = new Float32Array(reader.length);
  reader.read(samples, 0, reader.length);
  return { samples, words, seconds: samples.length / RATE };
}

/** Clips joined to sounds of lengths that are spread from 8 to 22 s. */
function joined(clips, count) {
  const sounds = [];
  let next = 0;
  for (let i = 0; i < count; i++) {
    const target = LONG + ((i + 0.5) / count) * (LONGEST - LONG);
    const parts = [];
    // A pause of some second goes with every clip.
    for (let seconds = 1; seconds < target - 1 && next < clips.length; seconds += clips[next++].seconds + 1) {
      parts.push(clips[next]);
    }
    const { samples } = joinClips(parts, i + 1);
    sounds.push({ samples, words: parts.map(({ words }) => words).join(" ") });
  }
  return sounds;
}

function spreadOver(list, count) {
  const wanted = Math.min(count, list.length);
  return Array.from({ length: wanted }, (_, i) => list[Math.floor((i * list.length) / wanted)]);
}

/** Folder of a package's files, fetched by apt-get once and not installed. */
function unpacked(name) {
  const folder = join(out, name);
  if (existsSync(folder)) return folder;
  mkdirSync(out, { recursive: true });
  execFileSync("apt-get", ["download", name], { cwd: out, stdio: ["ignore", "ignore", "inherit"] });
  const archive = readdirSync(out).find((file) => file.startsWith(`${name}_`) && file.endsWith(".deb"));
  execFileSync("dpkg-deb", ["-x", join(out, archive), folder]);
  return folder;
}

/** Sorted by the bytes of their paths, so that every machine chooses the same clips. */
function filesOf(folder) {
  return readdirSync(folder, { recursive: true })
    .map((file) => join(folder, file))
    .sort();
}

/** 16-bit PCM, mono. */
function wav(samples) {
  const bytes = Buffer.alloc(44 + 2 * samples.length);
  bytes.write("RIFF", 0);
  bytes.writeUInt32LE(36 + 2 * samples.length, 4);
  bytes.write("WAVEfmt ", 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(RATE, 24);
  bytes.writeUInt32LE(2 * RATE, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write("data", 36);
  bytes.writeUInt32LE(2 * samples.length, 40);
  samples.forEach((x, i) => {
    bytes.writeInt16LE(Math.round(32767 * Math.max(-1, Math.min(1, x))), 44 + 2 * i);
  });
  return bytes;
}
