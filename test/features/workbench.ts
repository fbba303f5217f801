import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type BufferPool,
  type Core,
  createBufferPool,
  createCore,
  createFrontEnd,
  decodeAudio,
  type FrontEnd,
  type FrontEndOptions,
  readWav,
} from "../../src/index.ts";
import { realSpeechFolder } from "../reference/real-speech.ts";
import { SAMPLE } from "../reference/sample.ts";
import { chirp, impulse, whiteNoise } from "../reference/signals.ts";

/** A core with room for a clip and its features, and the front ends asked of it so far. */
export interface Workbench {
  core: Core;
  audio: BufferPool<"f32">;
  features: BufferPool<"f32">;
  frontEnd(options: FrontEndOptions): FrontEnd;
  /** Features through pooled views, copied out so that the leases end here. */
  compute(options: FrontEndOptions, samples: Float32Array): Float32Array;
}

export async function createWorkbench(
  build: { threads?: boolean; relaxed?: boolean } = {},
): Promise<Workbench> {
  const core = await createCore(build);
  const audio = createBufferPool(core, { name: "audio", dtype: "f32", shape: 640000, initial: 1, max: 2 });
  const features = createBufferPool(core, {
    name: "features",
    dtype: "f32",
    shape: 640000,
    initial: 1,
    max: 2,
  });
  const known = new Map<FrontEndOptions["preset"], FrontEnd>();
  function frontEnd(options: FrontEndOptions): FrontEnd {
    const made = known.get(options.preset) ?? createFrontEnd(core, options);
    if (Object.keys(options).length > 1) return createFrontEnd(core, options);
    known.set(options.preset, made);
    return made;
  }
  function compute(options: FrontEndOptions, samples: Float32Array): Float32Array {
    using source = audio.acquire();
    using out = features.acquire();
    source.view.fill(Number.NaN, samples.length, samples.length + 1000); // what lies behind the clip is not read
    source.view.set(samples);
    const made = frontEnd(options);
    const vectors = made.compute(source.view, out.view, samples.length);
    return out.view.slice(0, made.features * vectors);
  }
  return { core, audio, features, frontEnd, compute };
}

/** The clip of speech that comes with the repository, 16 kHz. */
export async function sampleSpeech(): Promise<Float32Array> {
  return readWav(await readFile(SAMPLE)).channels[0]!;
}

/** Real recordings, 16 kHz, where $WAVEPOOL_SPEECH says there are any. */
export async function realSpeech(): Promise<Map<string, Float32Array>> {
  const folder = realSpeechFolder();
  const clips = new Map<string, Float32Array>();
  if (!folder) return clips;
  for (const name of ["jfk.wav", "1688-142285-0001.flac"]) {
    const { channels } = await decodeAudio(await readFile(join(folder, name)));
    clips.set(name, channels[0]!.slice(0, 80000));
  }
  return clips;
}

/** Test signals by their names; the noise is seeded. */
export function signals(seed: number): Record<string, Float32Array> {
  return {
    "noise of 1 s": whiteNoise(16000, seed),
    "noise of 12345": whiteNoise(12345, seed + 1),
    "noise of 1037": whiteNoise(1037, seed + 2),
    silence: new Float32Array(5000),
    impulse: impulse(6000, 3000),
    chirp: chirp(16000, 0, 8000),
  };
}
