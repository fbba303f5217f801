/**
 * Hours of sound through the whole transcriber: does memory stay where it is, is every phrase found at its time, are all buffers
 * back?
 *
 *     npm run bench:hours
 *     npm run bench:hours -- --hours 10 --model tiny --provider native --from stream
 *
 *   --hours N         of sound, default 10
 *   --every N         seconds from one spoken phrase to the next, default 60; noise of a quiet room between them
 *   --model M, --provider P, --threads N, --vad   of the transcriber; default tiny, native, the cores of this machine, off
 *   --from F          disk (default: a WAV of 16 bits, 115 MB an hour, in the folder for temporary files) or stream (a
 *                     ReadableStream of the same bytes, made as they are read)
 *   --file F          WAV of the phrase, mono at 16 kHz; default samples/hello.wav
 */
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";
import { createTranscriber, readWav } from "../dist/index.js";
import { machineLine } from "./harness/machine.mjs";
import { seededNoise } from "./mel/signal.mjs";
import { memorySlope } from "./wer/joined.mjs";
import { RATE } from "./wer/rate.mjs";

/** Amplitude of the noise between phrases: -60 dB of full scale. */
const NOISE = 0.001;
/** Seconds that a phrase may be found away from its place. */
const NEAR = 1;
const HEADER_BYTES = 44;

const text = (value) => ({ type: "string", default: value });
const { values: given } = parseArgs({
  options: {
    hours: text("10"),
    every: text("60"),
    model: text("tiny"),
    provider: text("native"),
    threads: text(String(availableParallelism())),
    vad: { type: "boolean", default: false },
    from: text("disk"),
    file: text(new URL("../samples/hello.wav", import.meta.url).pathname),
  },
});
const seconds = Number(given.hours) * 3600;
const every = Number(given.every);
const phrase = readWav(readFileSync(given.file)).channels[0];
const places = Array.from({ length: Math.floor(seconds / every) }, (_, i) => i * every + 1);

console.log(machineLine());
const folder = mkdtempSync(join(tmpdir(), "wavepool-hours-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
let sound;
if (given.from === "disk") {
  sound = join(folder, "hours.wav");
  await pipeline(Readable.from(wav()), createWriteStream(sound));
} else sound = Readable.toWeb(Readable.from(wav()));

const transcriber = await createTranscriber({
  model: given.model,
  providers: [given.provider],
  threads: Number(given.threads),
});
const memory = [];
const heap = [];
const found = [];
let at = -1;
const began = performance.now();
const result = await transcriber.transcribe(sound, {
  language: "en",
  voiceActivity: given.vad,
  onSegment: ({ start }) => found.push(start),
  onProgress({ seconds }) {
    if (seconds < at + 60) return;
    at = seconds;
    memory.push([seconds, process.memoryUsage.rss()]);
    heap.push([seconds, process.memoryUsage().heapUsed]);
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${(seconds / 3600).toFixed(1)} h`);
  },
});
const took = (performance.now() - began) / 1000;
const missed = places.filter((place) => !found.some((start) => Math.abs(start - place) <= NEAR));
const stray = found.filter(
  (start) => !places.some((place) => start > place - NEAR && start < place + phrase.length / RATE),
);
const held = transcriber.stats().reduce((sum, { inUse }) => sum + inUse, 0);
const mebibytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
console.log(
  `${given.hours} h from ${given.from}, a phrase each ${every} s; ${given.model}, ${given.provider}, ${given.threads} threads${given.vad ? ", voice activity" : ""}\n` +
    `  took ${took.toFixed(0)} s for ${(result.duration / 3600).toFixed(2)} h in ${result.windows} windows\n` +
    `  memory: ${mebibytes(memory[0][1])} at first, ${mebibytes(memory.at(-1)[1])} at last; ` +
    `growth after the first quarter ${mebibytes(60 * memorySlope(memory))} an hour, of it JavaScript's ${mebibytes(60 * memorySlope(heap))}\n` +
    `  phrases: ${places.length - missed.length} of ${places.length} begin within ${NEAR} s of their place; ${stray.length} segments elsewhere; buffers held ${held}`,
);
await transcriber.dispose();
process.exitCode = missed.length > 0 || held > 0 ? 1 : 0;

/** The bytes of the WAV, a stretch from phrase to phrase at a time. */
function* wav() {
  const random = seededNoise(1);
  const samples = seconds * RATE;
  yield header(2 * samples);
  const stretch = new Int16Array(every * RATE);
  for (let from = 0; from < samples; from += stretch.length) {
    const count = Math.min(stretch.length, samples - from);
    for (let i = 0; i < count; i++) {
      const voice = phrase[i - RATE] ?? 0;
      stretch[i] = Math.round(32767 * (voice + NOISE * random()));
    }
    yield new Uint8Array(stretch.slice(0, count).buffer);
  }
}

function header(bytes) {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES));
  const tag = (offset, name) => {
    for (let i = 0; i < name.length; i++) view.setUint8(offset + i, name.charCodeAt(i));
  };
  tag(0, "RIFF");
  view.setUint32(4, HEADER_BYTES - 8 + bytes, true);
  tag(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // mono
  view.setUint32(24, RATE, true);
  view.setUint32(28, 2 * RATE, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  tag(36, "data");
  view.setUint32(40, bytes, true);
  return new Uint8Array(view.buffer);
}
