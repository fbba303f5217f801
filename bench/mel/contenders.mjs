/** Who takes part. */
import { startNative } from "./native.mjs";
import { loadKissfft, loadMeyda, loadParakeet, loadPffft, loadTransformers, peerVersions } from "./peers.mjs";
import { aroundTransform, plainSpectrum } from "./plain.mjs";
import { loadWavepool } from "./wavepool.mjs";

/** The contender that all others are held against. */
export const REFERENCE = "base";

const PLAIN_AROUND = "transform only; the rest is the plain JavaScript version's";
const version = (name) => `${name} ${peerVersions[name]}`;

/**
 * By name: `label`; `load(longestClip)` in the contender's own process, for a function that prepares
 * { mels, pad, clip }, or `start()` for a program that is not JavaScript; whether it can `pad` to 30 s; `other`,
 * what it computes instead when its features are not Whisper's; a `note`.
 */
export const CONTENDERS = {
  base: { label: "wavepool, base SIMD", load: (clip) => loadWavepool(false, clip), pad: true },
  relaxed: { label: "wavepool, relaxed SIMD", load: (clip) => loadWavepool(true, clip), pad: true },
  native: {
    label: "FFTW 3, native",
    start: startNative,
    note: "bench/native, g++ -O3 -march=native, one thread",
  },
  transformers: {
    label: version("@huggingface/transformers"),
    load: loadTransformers,
    pad: true,
    note: "WhisperFeatureExtractor; as long as the clip by max_length",
  },
  plain: {
    label: "plain JavaScript",
    load: () => aroundTransform(plainSpectrum()),
    note: "float64, 400 real points as 200 complex",
  },
  kissfft: { label: version("kissfft-wasm"), load: loadKissfft, note: PLAIN_AROUND },
  pffft: {
    label: version("@echogarden/pffft-wasm"),
    load: loadPffft,
    note: `${PLAIN_AROUND}; SIMD build, two frames as one complex transform`,
  },
  parakeet: {
    label: version("parakeet.js"),
    load: loadParakeet,
    other: "NeMo's: pre-emphasis, 512 points, ln, normalised by mel",
  },
  meyda: {
    label: version("meyda"),
    load: loadMeyda,
    other: "its own: 512 points, mels unlike Slaney's, ln(1 + x), no padding",
  },
};

/** Names for --only. */
export const GROUPS = { ours: ["base", "relaxed"], all: Object.keys(CONTENDERS) };
