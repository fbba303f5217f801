import type { PresetName } from "../../src/index.ts";
import { kaldiFbank } from "../reference/kaldi-fbank.ts";
import { wavFrontend } from "../reference/lfr.ts";
import { melspectrogram, mfcc, powerToDb } from "../reference/librosa.ts";
import { referenceLogMel } from "../reference/log-mel.ts";
import { nemoMel } from "../reference/nemo-mel.ts";
import { seamlessFbank } from "../reference/seamless-fbank.ts";
import type { ReferenceFeatures } from "../reference/spectrum.ts";
import { speechbrainFbank } from "../reference/speechbrain-fbank.ts";
import { zeroMeanUnitVariance } from "../reference/waveform.ts";

/** Samples of ±32768. */
export function asIntegers(samples: Float32Array): Float64Array {
  return Float64Array.from(samples, (x) => x * 32768);
}

/** NeMo's result without the frame that its length leaves out, [mels × valid frames]. */
export function validPart(result: ReferenceFeatures & { validFrames: number }): Float64Array {
  const { data, frames, features, validFrames } = result;
  const rows = Array.from({ length: features }, (_, m) =>
    data.subarray(m * frames, m * frames + validFrames),
  );
  return Float64Array.from(rows.flatMap((row) => [...row]));
}

/** Chunks of 512 samples behind 64 of the one before, silence around the clip: `OnnxWrapper` of snakers4/silero-vad. */
function sileroChunks(samples: Float32Array): Float64Array {
  const chunks = Math.ceil(samples.length / 512);
  return Float64Array.from({ length: chunks * 576 }, (_, i) => {
    const at = Math.floor(i / 576) * 512 + (i % 576) - 64;
    return samples[at] ?? 0;
  });
}

function seamless(samples: Float32Array): Float64Array {
  const { data, validFrames, features } = seamlessFbank(samples);
  return data.slice(0, validFrames * features);
}

/** What each preset is to give, in float64, without padding. */
export const REFERENCES: Record<PresetName, (samples: Float32Array) => Float64Array> = {
  "whisper-80": (x) => referenceLogMel(x, 80),
  "whisper-128": (x) => referenceLogMel(x, 128),
  "kaldi-23": (x) => kaldiFbank(x).data,
  "kaldi-40": (x) => kaldiFbank(x, { numMelBins: 40 }).data,
  "kaldi-80": (x) => kaldiFbank(x, { numMelBins: 80 }).data,
  sensevoice: (x) => wavFrontend(x).data,
  paraformer: (x) => wavFrontend(x).data,
  "nemo-80": (x) => validPart(nemoMel(x)),
  "nemo-128": (x) => validPart(nemoMel(x, { nfilt: 128 })),
  ecapa: (x) => speechbrainFbank(x).data,
  wespeaker: (x) =>
    kaldiFbank(asIntegers(x), { numMelBins: 80, windowType: "hamming", subtractMean: true }).data,
  "seamless-m4t": seamless,
  librosa: (x) => melspectrogram(x).data,
  "librosa-db": (x) => powerToDb(melspectrogram(x)).data,
  "librosa-mfcc": (x) => mfcc(x).data,
  wav2vec2: (x) => zeroMeanUnitVariance(x).data,
  moonshine: (x) => Float64Array.from(x),
  silero: sileroChunks,
};
