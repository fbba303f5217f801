import { describe } from "../core/arguments.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import type { FrontEndDescription, MelBank } from "./description.ts";

const RATE = 16000;
/** log10 from ln. */
const LOG10 = Math.LOG10E;
/** torch.finfo(torch.float32).eps, Kaldi's least energy. */
const KALDI_FLOOR = 1.1920928955078125e-7;
/** Floor of logarithms that have a guard instead: the least normal float32. */
const TINY = 1.1754943508222875e-38;

const slaneyMels = (count: number): MelBank => ({
  count,
  scale: "slaney",
  triangles: "hz",
  norm: "slaney",
  low: 0,
  high: 0,
});

const whisper = (name: string, count: number): FrontEndDescription => ({
  name,
  sampleRate: RATE,
  frame: { length: 400, hop: 160, fft: 400, window: "hann-periodic", edges: "reflect", dropLast: true },
  mel: slaneyMels(count),
  // (log10(x) + 4) / 4, no more than 8 / 4 below the greatest.
  log: { factor: LOG10 / 4, offset: 1, floor: 1e-10 },
  range: 2,
  layout: "mel-major",
  padTo: 30 * RATE,
});

const kaldi = (name: string, count: number): FrontEndDescription => ({
  name,
  sampleRate: RATE,
  frame: { length: 400, hop: 160, fft: 512, window: "povey", edges: "snip" },
  removeDc: true,
  preEmphasis: { coefficient: 0.97, over: "frame" },
  mel: { count, scale: "htk", triangles: "mel", norm: "none", low: 20, high: 0 },
  log: { factor: 1, offset: 0, floor: KALDI_FLOOR },
  layout: "frame-major",
});

const KALDI_80 = kaldi("kaldi-80", 80);

const nemo = (name: string, count: number): FrontEndDescription => ({
  name,
  sampleRate: RATE,
  frame: { length: 400, hop: 160, fft: 512, window: "hann", edges: "zero", dropLast: true },
  preEmphasis: { coefficient: 0.97, over: "signal" },
  mel: slaneyMels(count),
  log: { factor: 1, offset: 0, floor: TINY, guard: 2 ** -24 },
  normalize: { kind: "mean-and-deviation", degrees: 1, deviationGuard: 1e-5 },
  layout: "mel-major",
});

/** Hamming in place of Povey's window and samples as 16-bit integers, as toolkits after Kaldi have it. */
const hamming16 = (name: string): FrontEndDescription => ({
  ...KALDI_80,
  name,
  scale: 32768,
  frame: { length: 400, hop: 160, fft: 512, window: "hamming", edges: "snip" },
});

const librosaMel = {
  sampleRate: 22050,
  frame: { length: 2048, hop: 512, fft: 2048, window: "hann-periodic", edges: "zero" },
  mel: slaneyMels(128),
  layout: "mel-major",
} as const satisfies Omit<FrontEndDescription, "name">;

/** 10 log10(max(x, 1e-10)), no more than 80 dB below the greatest. */
const DECIBELS = { log: { factor: 10 * LOG10, offset: 0, floor: 1e-10 }, range: 80 } as const;

/**
 * The front ends of published models and toolkits.
 *
 * - `whisper-80`, `whisper-128`: `log_mel_spectrogram` and `pad_or_trim` of openai/whisper `whisper/audio.py`; 80
 *   mels up to large-v2, 128 from large-v3 on.
 * - `kaldi-23`, `kaldi-40`, `kaldi-80`: `torchaudio.compliance.kaldi.fbank` of pytorch/audio with its defaults (25 ms
 *   every 10, Povey window, pre-emphasis 0.97, 20 Hz up, no dither, samples as given) and that many bins.
 * - `sensevoice`, `paraformer`: `WavFrontend` of modelscope/FunASR `funasr/frontends/wav_frontend.py`: Kaldi fbank 80
 *   with a Hamming window of 16-bit samples, 7 frames stacked every 6. Add `cmvn` from the model's am.mvn
 *   ({@link parseCmvn}).
 * - `nemo-80`, `nemo-128`: `AudioToMelSpectrogramPreprocessor` of NVIDIA-NeMo/NeMo
 *   `nemo/collections/asr/parts/preprocessing/features.py`, without dither: Parakeet, Canary, Conformer. Edges are
 *   silence, as since June 2025; take `edges: "reflect"` for what was made before.
 * - `ecapa`: `Fbank` and sentence mean of speechbrain/speechbrain `speechbrain/processing/features.py` and
 *   `lobes/features.py`, as spkrec-ecapa-voxceleb has them.
 * - `wespeaker`: wenet-e2e/wespeaker `wespeaker/bin/infer_onnx.py`: Hamming fbank 80, mean over the clip taken out.
 * - `seamless-m4t`: `SeamlessM4TFeatureExtractor` of huggingface/transformers: Kaldi fbank 80 of 16-bit samples, each
 *   bin to mean 0 and deviation 1, two frames stacked.
 * - `librosa`: `librosa.feature.melspectrogram` with its defaults; `librosa-db` through `power_to_db`; `librosa-mfcc`
 *   `librosa.feature.mfcc` of 20.
 * - `wav2vec2`: `Wav2Vec2FeatureExtractor` of huggingface/transformers with `do_normalize` (HuBERT too): samples to
 *   mean 0 and deviation 1.
 * - `moonshine`: usefulsensors/moonshine: the samples as they are.
 * - `silero`: snakers4/silero-vad `src/silero_vad/utils_vad.py` (v5, v6): 512 samples behind 64 of the chunk before.
 */
export const PRESETS = {
  "whisper-80": whisper("whisper-80", 80),
  "whisper-128": whisper("whisper-128", 128),
  "kaldi-23": kaldi("kaldi-23", 23),
  "kaldi-40": kaldi("kaldi-40", 40),
  "kaldi-80": KALDI_80,
  sensevoice: { ...hamming16("sensevoice"), stacking: { frames: 7, step: 6, left: 3 } },
  paraformer: { ...hamming16("paraformer"), stacking: { frames: 7, step: 6, left: 3 } },
  "nemo-80": nemo("nemo-80", 80),
  "nemo-128": nemo("nemo-128", 128),
  ecapa: {
    name: "ecapa",
    sampleRate: RATE,
    frame: { length: 400, hop: 160, fft: 400, window: "hamming-periodic", edges: "zero" },
    mel: { count: 80, scale: "htk", triangles: "symmetric", norm: "none", low: 0, high: 8000 },
    ...DECIBELS,
    normalize: { kind: "mean" },
    layout: "frame-major",
  },
  wespeaker: { ...hamming16("wespeaker"), normalize: { kind: "mean" } },
  "seamless-m4t": {
    ...KALDI_80,
    name: "seamless-m4t",
    scale: 32768,
    normalize: { kind: "mean-and-deviation", degrees: 1, varianceGuard: 1e-7 },
    stacking: { frames: 2, step: 2, incomplete: "drop" },
  },
  librosa: { name: "librosa", ...librosaMel },
  "librosa-db": { name: "librosa-db", ...librosaMel, ...DECIBELS },
  "librosa-mfcc": { name: "librosa-mfcc", ...librosaMel, ...DECIBELS, cepstra: 20 },
  wav2vec2: {
    name: "wav2vec2",
    sampleRate: RATE,
    normalize: { kind: "mean-and-deviation", degrees: 0, varianceGuard: 1e-7 },
    layout: "frame-major",
  },
  moonshine: { name: "moonshine", sampleRate: RATE, layout: "frame-major" },
  silero: {
    name: "silero",
    sampleRate: RATE,
    frame: { length: 576, hop: 512, fft: 576, window: "rectangular", edges: "zero", left: 64 },
    layout: "frame-major",
  },
} as const satisfies Record<string, FrontEndDescription>;

/** Name of a preset. */
export type PresetName = keyof typeof PRESETS;

/**
 * Looks a preset up.
 *
 * @throws InvalidArgumentError for an unknown name.
 */
export function findPreset(name: string): FrontEndDescription {
  if (typeof name === "string" && Object.hasOwn(PRESETS, name)) return PRESETS[name as PresetName];
  throw new InvalidArgumentError(
    `unknown preset ${describe(name)}; give ${Object.keys(PRESETS).join(", ")}, or a description`,
  );
}
