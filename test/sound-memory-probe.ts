/**
 * Run by sound-memory.test.ts with --expose-gc: reads hours of sound that are made as they are read, and prints
 * what the process holds on the way.
 */
import { readFileSync } from "node:fs";
import { createSoundRing } from "../src/audio/sound-ring.ts";
import { openSound, type SoundSource } from "../src/audio/sound-source.ts";
import { createCore } from "../src/core/create-core.ts";

const [kind = "", hours = "1", fixtures = ""] = process.argv.slice(2);
const seconds = Number(hours) * 3600;
const CHUNK = 65536;

/** A WAV out of a pipe: noise of 16 bits, its header without a length. */
function* wav(rate: number, channels: number): Generator<Uint8Array> {
  const header = new DataView(new ArrayBuffer(44));
  new Uint8Array(header.buffer).set(new TextEncoder().encode("RIFF    WAVEfmt "));
  header.setUint32(4, 0xffffffff, true);
  header.setUint32(16, 16, true);
  header.setUint16(20, 1, true);
  header.setUint16(22, channels, true);
  header.setUint32(24, rate, true);
  header.setUint32(28, rate * channels * 2, true);
  header.setUint16(32, channels * 2, true);
  header.setUint16(34, 16, true);
  new Uint8Array(header.buffer).set(new TextEncoder().encode("data"), 36);
  header.setUint32(40, 0xffffffff, true);
  const chunk = new Uint8Array(CHUNK).map((_, i) => (i % 2 ? (i * 7) % 64 : i * 31));
  yield new Uint8Array(header.buffer);
  let left = seconds * rate * channels * 2;
  for (; left >= CHUNK; left -= CHUNK) yield chunk;
  yield chunk.subarray(0, left);
}

/** The sound of a fixture of 1.5 s over and over, cut where its frames begin. */
function* repeated(name: string, headBytes: (bytes: Uint8Array) => number): Generator<Uint8Array> {
  const bytes = new Uint8Array(readFileSync(`${fixtures}/${name}`));
  const start = headBytes(bytes);
  const head = bytes.slice(0, start);
  if (name.endsWith(".flac")) {
    head[21]! &= 0xf0; // of unknown length
    head.fill(0, 22, 26);
  }
  yield head;
  const body = bytes.slice(start);
  for (let made = 0; made < seconds; made += 1.5) yield body;
}

/** First place of some bytes. */
function find(bytes: Uint8Array, ...wanted: number[]): number {
  return bytes.findIndex((_, i) => wanted.every((byte, k) => bytes[i + k] === byte));
}

const SOURCES: Record<string, () => Generator<Uint8Array>> = {
  wav: () => wav(16000, 1),
  "wav 44.1 stereo": () => wav(44100, 2),
  flac: () => repeated("hello.flac", (bytes) => find(bytes, 0xff, 0xf8)),
  // Behind the first frame, which holds the Xing header.
  mp3: () => repeated("hello.mp3", (bytes) => find(bytes.slice(100), 0xff, 0xf3) + 100),
  aac: () => repeated("hello.aac", () => 0),
  webm: () => repeated("hello.webm", (bytes) => find(bytes, 0x1f, 0x43, 0xb6, 0x75)),
  mp4: () => repeated("hello-fragments.mp4", (bytes) => find(bytes, 0x6d, 0x6f, 0x6f, 0x66) - 4),
};

const iterator = SOURCES[kind]!();
const stream = new ReadableStream<Uint8Array>(
  {
    pull(controller) {
      const { done, value } = iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  },
  { highWaterMark: 0 },
);
const core = await createCore({ threads: false });
const began = process.cpuUsage();
const ring = createSoundRing(core, await openSound(core, stream as SoundSource), { seconds: 60 });
const view = new Float32Array(480_000);
const held: { rss: number; heap: number }[] = [];
const STEPS = 20;
for (let step = 1; !ring.ended; step++) {
  const upTo = Math.floor((seconds * 16000 * step) / STEPS);
  while (ring.head < upTo && !ring.ended) {
    await ring.fill(Math.min(upTo, ring.head + 480_000));
    const count = Math.min(480_000, ring.head);
    ring.window(ring.head - count, count, view);
  }
  (globalThis as { gc?: () => void }).gc!();
  const { rss, heapUsed, external } = process.memoryUsage();
  held.push({ rss, heap: heapUsed + external });
}
const { user, system } = process.cpuUsage(began);
console.log(JSON.stringify({ seconds: ring.head / 16000, took: (user + system) / 1e6, held }));
await ring.close();
