import { adapter } from "#adapter";
import { monoReader } from "../audio/resample.ts";
import { createCore } from "../core/create-core.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import { createFrontEnd } from "../features/front-end.ts";
import { findPreset, type PresetName } from "../features/presets.ts";
import { createBufferPool } from "../pools/create-buffer-pool.ts";
import { readSound } from "./read-sound.ts";

/** Memory beside the samples and features of the clip: tables, workspace, 30 s of padding. */
const MARGIN_BYTES = 16 * 1024 * 1024;
/** The samples, the features, and frames before they are stacked: none has more than four values a sample in all. */
const BYTES_PER_SAMPLE = 16;

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
  const { sampleRate } = findPreset(flags.preset);
  const reader = monoReader(pcm, sampleRate);
  const core = await createCore({ memoryBytes: MARGIN_BYTES + reader.length * BYTES_PER_SAMPLE });
  const frontEnd = createFrontEnd(core, { preset: flags.preset, pad: flags.pad ?? false });
  if (reader.length > frontEnd.maxSamples) {
    throw new InvalidArgumentError(
      `${file}: the clip has ${reader.length} samples at ${sampleRate} Hz; ${flags.preset} with --pad takes up to ${frontEnd.maxSamples} (${frontEnd.maxSamples / sampleRate} s): leave --pad out, or cut it (ffmpeg -t ${frontEnd.maxSamples / sampleRate})`,
    );
  }
  const shape = frontEnd.shape(reader.length);
  if (shape[0] * shape[1] === 0) {
    const remedy = frontEnd.description.padTo === undefined ? "give a longer clip" : "give --pad";
    throw new InvalidArgumentError(`${file}: ${reader.length} samples make no frame; ${remedy}`);
  }
  const audioPool = createBufferPool(core, { name: "audio", dtype: "f32", shape: reader.length, max: 1 });
  const melPool = createBufferPool(core, { name: "mel", dtype: "f32", shape, max: 1 });
  using samples = audioPool.acquire();
  using features = melPool.acquire();
  reader.read(samples.view, 0, reader.length);
  frontEnd.compute(samples.view, features.view);
  await adapter.writeFile(flags.out, littleEndian(features.view));
  process.stdout.write(
    `${JSON.stringify({ preset: flags.preset, shape, dtype: "float32", out: flags.out })}\n`,
  );
}

/** Bytes of float32 values in little-endian order, which is the memory's own order on every runtime. */
function littleEndian(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
