import { readFile } from "node:fs/promises";
import type { SoundReader } from "../../src/audio/sound-reader.ts";
import { openSound, type SoundOptions, type SoundSource } from "../../src/audio/sound-source.ts";
import { type Core, decodeAudio, monoReader, type PcmAudio } from "../../src/index.ts";

/** Bytes of a file in test/fixtures. */
export async function fixture(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return Uint8Array.from(await readFile(new URL(`../fixtures/${name}`, import.meta.url)));
}

/** Numbers from 0 to 1 that are the same for a seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Cuts an array into pieces of random sizes from 1 to `most`, small ones as likely as large ones. */
export function randomPieces<T extends Uint8Array | Float32Array>(whole: T, most: number, seed: number): T[] {
  const next = randomNumbers(seed);
  const pieces: T[] = [];
  for (let at = 0; at < whole.length; ) {
    const size = Math.max(1, Math.floor(most ** next()));
    // Copies of their own, which are overwritten once they were read: nobody may keep them.
    pieces.push(whole.slice(at, at + size) as T);
    at += size;
  }
  return pieces;
}

/** A stream that gives chunks, each spoilt when the next one is asked for. */
export function streamOf(
  chunks: Iterable<Uint8Array>,
  onCancel = (_: unknown) => {},
): ReadableStream<Uint8Array> {
  const iterator = chunks[Symbol.iterator]();
  let last: Uint8Array | undefined;
  return new ReadableStream(
    {
      pull(controller) {
        last?.fill(0x55);
        const { done, value } = iterator.next();
        if (done) controller.close();
        else {
          last = value;
          controller.enqueue(value);
        }
      },
      cancel: onCancel,
    },
    { highWaterMark: 0 },
  );
}

/** Reads a sound to its end, `most` samples at once. */
export async function readAll(reader: SoundReader, most = 1000): Promise<Float32Array> {
  const parts: Float32Array[] = [];
  for (;;) {
    const view = new Float32Array(most);
    const count = await reader.read(view);
    parts.push(view.subarray(0, count));
    if (count < most) break;
  }
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** What `openSound` makes of a source, in one array. */
export async function soundOf(
  core: Core,
  source: SoundSource,
  options: SoundOptions = {},
): Promise<Float32Array> {
  const reader = await openSound(core, source, options);
  try {
    return await readAll(reader);
  } finally {
    await reader.close();
  }
}

/** The same by `decodeAudio` and `monoReader`. */
export async function wholeSound(
  core: Core,
  source: Uint8Array | PcmAudio,
  rate = 16000,
): Promise<Float32Array> {
  const audio = source instanceof Uint8Array ? await decodeAudio(source) : source;
  const reader = monoReader(core, audio, rate);
  const samples = new Float32Array(reader.length);
  reader.read(samples, 0, reader.length);
  return samples;
}
