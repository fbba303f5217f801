import { assertOptions, describe } from "../core/arguments.ts";
import { type Core, orOutOfMemory, takeRegion } from "../core/core.ts";
import type { Pointer } from "../core/core-exports.ts";
import { InvalidArgumentError, NonFiniteSamplesError } from "../core/errors.ts";
import { type FeaturePreset, findPreset, type PresetName } from "./presets.ts";

const FLOAT_BYTES = 4;

/** Memory that a core's log-mel kernels share: `compute` runs to its end before another can begin. */
interface Scratch {
  workspace: Pointer;
  /** Where samples from outside the core are copied; taken when they first come. */
  staging: Float32Array | undefined;
}

const scratchByCore = new WeakMap<Core, Scratch>();

function scratchOf(core: Core): Scratch {
  const known = scratchByCore.get(core);
  if (known) return known;
  const workspace = takeRegion(core, core.exports.logMelWorkspaceBytes(), "log-mel workspace");
  const scratch = { workspace, staging: undefined };
  scratchByCore.set(core, scratch);
  return scratch;
}

/** Which features to compute. */
export interface LogMelOptions {
  /** The front end, by the model's needs. */
  preset: PresetName;
  /**
   * Whether clips are taken as padded with silence to the preset's full length (30 s, 3000 frames), as
   * Whisper's encoder expects. Default true. Without it the frame count follows the clip.
   */
  pad?: boolean;
}

/** A log-mel spectrogram kernel bound to a core. Create it with {@link createLogMel}. */
export interface LogMel {
  /** What the front end expects and makes. */
  readonly preset: FeaturePreset;
  /** Whether clips are padded to the preset's full length. */
  readonly pad: boolean;
  /** Frames that a clip of `sampleCount` samples makes: 3000 with padding, otherwise samples / 160 floored. */
  frames(sampleCount: number): number;
  /**
   * Computes the features of a clip straight into a pooled view.
   *
   * @param samples mono float32 at 16 kHz, nominally -1 to 1. A view of this core's memory is read in
   * place; any other array is copied once into a staging region of the core.
   * @param out float32 view of this core's memory; receives [mels × frames], mel-major, from its start.
   * @param sampleCount how many of `samples` to use; all by default. Given separately so that a view of
   * fixed size can be passed again and again without making a subarray.
   * @returns the number of frames written. What lies in `out` past mels × frames is left as it was.
   * @throws InvalidArgumentError when a view does not fit, naming its length and the one needed.
   * @throws NonFiniteSamplesError when a sample is NaN, infinite or overflows; `out` holds no features then.
   */
  compute(samples: Float32Array, out: Float32Array, sampleCount?: number): number;
}

/**
 * Prepares a log-mel kernel: builds its tables in the core (once a core) and takes its workspace.
 *
 * The definition is openai/whisper `log_mel_spectrogram`: centred frames with reflected edges, periodic
 * Hann of 400, hop 160, power, Slaney mels, log10 clamped at 1e-10, floored at the maximum less 8,
 * (x + 4) / 4, the last frame dropped.
 *
 * @throws InvalidArgumentError for an unknown preset.
 * @throws CoreMemoryError when the core has no room for the tables.
 */
export function createLogMel(core: Core, options: LogMelOptions): LogMel {
  assertOptions(options, "createLogMel");
  const preset = findPreset(options.preset);
  const pad = options.pad ?? true;
  if (typeof pad !== "boolean") throw new InvalidArgumentError(`pad is ${describe(pad)}; give true or false`);
  const { mels, hop, maxSamples, maxFrames } = preset;
  const purpose = `log-mel ${preset.name}`;
  const { exports, buffer } = core;
  const dft = orOutOfMemory(core, exports.dft400Create(), exports.dft400TableBytes(), purpose);
  const bank = orOutOfMemory(core, exports.melBankCreate(mels), exports.melBankBytes(mels), purpose);
  const scratch = scratchOf(core);

  const frames = (sampleCount: number) => (pad ? maxFrames : Math.max(0, Math.floor(sampleCount / hop)));

  /** Address of the samples in the core, staged there when they lie elsewhere. */
  function locate(samples: Float32Array, count: number): Pointer {
    if (samples.buffer === buffer) return samples.byteOffset;
    scratch.staging ??= new Float32Array(
      buffer,
      takeRegion(core, maxSamples * FLOAT_BYTES, `${purpose} staging`),
      maxSamples,
    );
    scratch.staging.set(count === samples.length ? samples : samples.subarray(0, count));
    return scratch.staging.byteOffset;
  }

  function compute(samples: Float32Array, out: Float32Array, sampleCount = samples.length): number {
    if (!(samples instanceof Float32Array)) {
      throw new InvalidArgumentError(`${purpose}: samples are ${describe(samples)}; give a Float32Array`);
    }
    if (
      !Number.isInteger(sampleCount) ||
      sampleCount < 1 ||
      sampleCount > maxSamples ||
      sampleCount > samples.length
    ) {
      throw new InvalidArgumentError(
        `${purpose}: ${sampleCount} samples of ${samples.length}; give 1 to ${maxSamples} (${maxSamples / preset.sampleRate} s), no more than the view holds`,
      );
    }
    const frameCount = frames(sampleCount);
    if (frameCount < 1) {
      throw new InvalidArgumentError(
        `${purpose}: ${sampleCount} samples make no frame without padding; give at least ${hop} or ask for padding`,
      );
    }
    if (!(out instanceof Float32Array) || out.buffer !== buffer) {
      throw new InvalidArgumentError(
        `${purpose}: out is ${out instanceof Float32Array ? "a view of another memory" : describe(out)}; give a Float32Array view of this core's memory, such as a lease's view`,
      );
    }
    if (out.length < mels * frameCount) {
      throw new InvalidArgumentError(
        `${purpose}: out holds ${out.length} values; ${mels} mels × ${frameCount} frames need ${mels * frameCount}`,
      );
    }
    const source = locate(samples, sampleCount);
    const target = out.byteOffset;
    if (source < target + mels * frameCount * FLOAT_BYTES && target < source + sampleCount * FLOAT_BYTES) {
      throw new InvalidArgumentError(
        `${purpose}: samples and out overlap at byte ${Math.max(source, target)}; lease two buffers`,
      );
    }
    const total = pad ? maxSamples : sampleCount;
    if (
      exports.logMel(dft, bank, scratch.workspace, source, sampleCount, total, target, mels, frameCount) !== 0
    ) {
      throw nonFinite(core, source, sampleCount);
    }
    return frameCount;
  }

  return { preset, pad, frames, compute };
}

/** The error for samples at `samples` that a kernel refused. */
function nonFinite(core: Core, samples: Pointer, count: number): NonFiniteSamplesError {
  const found = core.exports.countNonFinite(samples, count) >>> 0;
  const first = core.exports.firstNonFinite(samples, count);
  if (found === 0) {
    return new NonFiniteSamplesError(
      "samples are too large: their power overflows; scale them to -1 … 1",
      0,
      -1,
    );
  }
  return new NonFiniteSamplesError(
    `${found} of ${count} samples are NaN or infinite, the first at index ${first}; clean or re-record the clip`,
    found,
    first,
  );
}
