import { adapter } from "#adapter";
import { monoReader } from "../audio/resample.ts";
import { createCore } from "../core/create-core.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import { createLogMel } from "../features/log-mel.ts";
import type { PresetName } from "../features/presets.ts";
import { createBufferPool } from "../pools/create-buffer-pool.ts";
import { readSound } from "./read-sound.ts";

export interface MelFlags {
  preset: PresetName;
  pad?: boolean;
  out: string;
}

/** `wavepool mel FILE`: features to a file, their shape as one JSON line on stdout. */
export async function melCommand(file: string, flags: MelFlags): Promise<void> {
  if (flags.out === "-") {
    throw new InvalidArgumentError("--out is -, but stdout carries the line of JSON; give a file");
  }
  const pcm = await readSound(file);
  if (await adapter.sameFile(file, flags.out)) {
    throw new InvalidArgumentError(`--out ${flags.out} is the sound file itself; give another file`);
  }
  const core = await createCore();
  const logMel = createLogMel(core, { preset: flags.preset, pad: flags.pad ?? false });
  const { sampleRate, maxSamples, maxFrames, mels, name } = logMel.preset;
  const reader = monoReader(core, pcm, sampleRate);
  if (reader.length > maxSamples) {
    throw new InvalidArgumentError(
      `${file}: the clip has ${reader.length} samples at ${sampleRate} Hz; ${name} takes up to ${maxSamples} (${maxSamples / sampleRate} s): cut it (ffmpeg -t ${maxSamples / sampleRate})`,
    );
  }
  if (logMel.frames(reader.length) === 0) {
    throw new InvalidArgumentError(`${file}: ${reader.length} samples make no frame; give --pad`);
  }
  const audioPool = createBufferPool(core, { name: "audio", dtype: "f32", shape: maxSamples, max: 1 });
  const melPool = createBufferPool(core, { name: "mel", dtype: "f32", shape: mels * maxFrames, max: 1 });
  using samples = audioPool.acquire();
  using features = melPool.acquire();
  reader.read(samples.view, 0, reader.length);
  const frames = logMel.compute(samples.view, features.view, reader.length);
  await adapter.writeFile(flags.out, littleEndian(features.view.subarray(0, mels * frames)));
  process.stdout.write(
    `${JSON.stringify({ preset: name, shape: [mels, frames], dtype: "float32", out: flags.out })}\n`,
  );
}

/** Bytes of float32 values in little-endian order, which is the memory's own order on every runtime. */
function littleEndian(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
