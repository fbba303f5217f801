import type { Core } from "../core/core.ts";
import { decodeAudio } from "./decode.ts";
import { duration, type PcmAudio } from "./pcm.ts";
import { monoReader } from "./resample.ts";
export type SoundInput = Uint8Array | ArrayBuffer | PcmAudio;
export async function openSound(
  core: Core,
  source: SoundInput,
  options: { sampleRate: number; raw?: unknown; signal?: AbortSignal | undefined },
) {
  const pcm =
    source instanceof Uint8Array || source instanceof ArrayBuffer
      ? await decodeAudio(new Uint8Array(source as ArrayBuffer))
      : source;
  const reader = monoReader(core, pcm, options.sampleRate);
  return { duration: duration(pcm), reader, async close() {} };
}
