import type { FrontEndDescription } from "../features/description.ts";
import { PRESETS } from "../features/presets.ts";
import type { ExtractorConfig } from "./extractor.ts";

/** What one call comes to. */
export interface Job {
  /** What the result is called, and its shape. */
  readonly output: "input_features" | "input_values";
  readonly dims: readonly number[];
  /** The front end, and whether clips are taken as padded to its full length. */
  readonly description: FrontEndDescription;
  readonly pad: boolean;
  /** How many of the samples are used, and how many zeros follow them. */
  readonly samples: number;
  readonly zeros: number;
  /** Value of whatever the result has beyond the frames. */
  readonly filling: number;
  /** Length of the attention mask, where there is one, and the number of ones it begins with. */
  readonly mask?: { readonly length: number; readonly ones: number };
  /** Whether the clip is longer than the extractor reads, which the original warns of. */
  readonly cut?: boolean;
}

/** How the features of one extractor are made. */
export interface Recipe {
  /** Samples a second. */
  readonly sampleRate: number;
  /** Samples that a call uses at most, where that does not follow the clip. */
  readonly window?: number;
  /** The job for a clip of `count` samples; undefined for what is left to the original. */
  plan(count: number, options: Readonly<Record<string, unknown>>): Job | undefined;
}

/**
 * WhisperFeatureExtractor: clips are cut or padded to `n_samples`, or to `max_length` samples where a call gives it.
 */
function whisper(config: ExtractorConfig): Recipe {
  const sampleRate = config.integer("sampling_rate");
  const fft = config.integer("n_fft");
  const hop = config.integer("hop_length");
  const mels = config.integer("feature_size");
  const window = config.integer("n_samples", fft);
  const most = config.integer("nb_max_frames");
  if (fft % 2 !== 0) throw config.refusal("n_fft", "even sizes");
  if (Math.floor(window / hop) > most)
    throw config.refusal("n_samples", `up to ${most} frames (nb_max_frames) of ${hop}`);
  const preset = PRESETS["whisper-80"];
  const description: FrontEndDescription = {
    ...preset,
    name: config.kind,
    sampleRate,
    frame: { ...preset.frame!, length: fft, hop, fft },
    mel: { ...preset.mel!, count: mels, high: 8000 },
    padTo: window,
  };
  return {
    sampleRate,
    window,
    plan(count, { max_length }) {
      const length = max_length ?? window;
      if (typeof length !== "number" || !Number.isInteger(length) || length < fft || length > window)
        return undefined;
      const samples = Math.min(count, length);
      const pad = length === window;
      return {
        output: "input_features",
        dims: [1, mels, Math.floor(length / hop)],
        description,
        pad,
        samples,
        zeros: pad ? 0 : length - samples,
        filling: 0,
        cut: count > length && count > window,
      };
    },
  };
}

/** ParakeetFeatureExtractor: NeMo's features and one more frame, which is zero and masked. */
function parakeet(config: ExtractorConfig): Recipe {
  const sampleRate = config.integer("sampling_rate");
  const fft = config.integer("n_fft");
  const length = config.integer("win_length");
  const hop = config.integer("hop_length");
  const mels = config.integer("feature_size");
  const coefficient = config.number("preemphasis");
  if (fft % 2 !== 0) throw config.refusal("n_fft", "even sizes");
  const preset = PRESETS["nemo-80"];
  const description: FrontEndDescription = {
    ...preset,
    name: config.kind,
    sampleRate,
    frame: { ...preset.frame!, length, hop, fft },
    preEmphasis: { coefficient, over: "signal" },
    mel: { ...preset.mel!, count: mels },
    layout: "frame-major",
  };
  return {
    sampleRate,
    plan(count) {
      const frames = Math.floor(count / hop);
      if (frames < 1) return undefined;
      return {
        output: "input_features",
        dims: [1, frames + 1, mels],
        description,
        pad: false,
        samples: count,
        zeros: 0,
        filling: 0,
        mask: { length: frames + 1, ones: frames },
      };
    },
  };
}

/** CohereAsrFeatureExtractor: as Parakeet's after seeded noise in float64, which is not reproduced. */
function cohereAsr(config: ExtractorConfig): Recipe {
  if (Number(config.get("dither") ?? 0) > 0) throw config.refusal("dither", "none, that is 0");
  return parakeet(config);
}

/** Frames that Kaldi's snipped edges leave: 400 samples every 160, whatever the rate. */
const snippedFrames = (count: number) => (count < 400 ? 0 : 1 + Math.floor((count - 400) / 160));

/** Kaldi's filter bank, as the extractors have it that follow torchaudio. */
function kaldi(config: ExtractorConfig, preset: FrontEndDescription): FrontEndDescription {
  return {
    ...preset,
    name: config.kind,
    sampleRate: config.integer("sampling_rate"),
    mel: { ...preset.mel!, count: config.integer("num_mel_bins") },
  };
}

/** SeamlessM4TFeatureExtractor: Kaldi's fbank of 16-bit samples, normalised, padded and stacked by `stride`. */
function seamlessM4t(config: ExtractorConfig): Recipe {
  const stride = config.integer("stride");
  const filling = config.number("padding_value");
  if ((config.get("max_length") ?? null) !== null)
    throw config.refusal("max_length", "clips of any length, without one");
  // Stacking by as many frames as a vector takes moves nothing: it is a matter of the shape.
  const { stacking: _, ...preset } = PRESETS["seamless-m4t"] as FrontEndDescription;
  const normalized = kaldi(config, preset);
  const { normalize: __, ...plain } = normalized;
  const mels = normalized.mel!.count;
  return {
    sampleRate: normalized.sampleRate,
    plan(count, options) {
      const { padding = true, pad_to_multiple_of = 2, do_normalize_per_mel_bins = true } = options;
      const { return_attention_mask = true } = options;
      const frames = snippedFrames(count);
      if (frames < 2 || !Number.isInteger(pad_to_multiple_of) || (pad_to_multiple_of as number) < 1)
        return undefined;
      const added = padding ? frames % (pad_to_multiple_of as number) : 0;
      const vectors = (frames + added) / stride;
      if (!Number.isInteger(vectors)) return undefined; // the original says so in its own words
      // A vector counts by its second frame.
      const ones = added > 0 ? Math.floor((frames - 2 + stride) / stride) : vectors;
      return {
        output: "input_features",
        dims: [1, vectors, mels * stride],
        description: do_normalize_per_mel_bins ? normalized : plain,
        pad: false,
        samples: count,
        zeros: 0,
        filling,
        ...(return_attention_mask ? { mask: { length: vectors, ones } } : {}),
      };
    },
  };
}

/** WeSpeakerFeatureExtractor: Kaldi's fbank with a Hamming window, its mean over the clip taken out. */
function weSpeaker(config: ExtractorConfig): Recipe {
  const least = (config.get("min_num_frames") ?? null) === null ? 1 : config.integer("min_num_frames");
  const { normalize, ...preset } = PRESETS.wespeaker as FrontEndDescription;
  const plain = kaldi(config, preset);
  const description =
    config.get("fbank_centering_span") === null ? { ...plain, normalize: normalize! } : plain;
  return {
    sampleRate: plain.sampleRate,
    plan(count) {
      const frames = snippedFrames(count);
      if (frames < Math.max(1, least)) return undefined;
      const dims = [1, frames, plain.mel!.count];
      return {
        output: "input_features",
        dims,
        description,
        pad: false,
        samples: count,
        zeros: 0,
        filling: 0,
      };
    },
  };
}

/** ASTFeatureExtractor: Kaldi's fbank with a Hann window, brought to a given mean and deviation, `max_length` frames. */
function ast(config: ExtractorConfig): Recipe {
  const length = config.integer("max_length");
  const floor = PRESETS["kaldi-80"].log!.floor;
  const scaled = Boolean(config.get("do_normalize"));
  const mean = scaled ? config.number("mean") : 0;
  const divisor = scaled ? 2 * config.number("std") : 1;
  if (!(divisor > 0)) throw config.refusal("std", "numbers above 0");
  const description: FrontEndDescription = {
    ...kaldi(config, PRESETS["kaldi-80"]),
    frame: { ...PRESETS["kaldi-80"].frame!, window: "hann" },
    log: { factor: 1 / divisor, offset: -mean / divisor, floor },
  };
  const window = (length - 1) * 160 + 400;
  return {
    sampleRate: description.sampleRate,
    window,
    plan(count) {
      if (snippedFrames(count) < 1) return undefined;
      return {
        output: "input_values",
        dims: [1, length, description.mel!.count],
        description,
        pad: false,
        samples: Math.min(count, window),
        zeros: 0,
        // The original takes no logarithm of the frames that it adds.
        filling: (floor - mean) / divisor,
      };
    },
  };
}

/** Wav2Vec2FeatureExtractor: the samples, brought to mean 0 and deviation 1 with `do_normalize`. */
function wav2vec2(config: ExtractorConfig): Recipe {
  const { normalize, ...plain } = PRESETS.wav2vec2 as FrontEndDescription;
  const recipe = rawSamples(config, config.get("do_normalize") ? { ...plain, normalize: normalize! } : plain);
  return {
    ...recipe,
    plan(count, options) {
      const job = recipe.plan(count, options);
      return job && { ...job, mask: { length: count, ones: count } };
    },
  };
}

/** MoonshineFeatureExtractor: the samples as they are. */
const moonshine = (config: ExtractorConfig) => rawSamples(config, PRESETS.moonshine);

function rawSamples(config: ExtractorConfig, preset: FrontEndDescription): Recipe {
  const sampleRate = config.integer("sampling_rate");
  const description = { ...preset, name: config.kind, sampleRate };
  return {
    sampleRate,
    plan(count) {
      if (count < 1) return undefined;
      const dims = [1, count];
      return { output: "input_values", dims, description, pad: false, samples: count, zeros: 0, filling: 0 };
    },
  };
}

/** Recipes by the class of the extractor. */
export const RECIPES: Readonly<Record<string, (config: ExtractorConfig) => Recipe>> = {
  WhisperFeatureExtractor: whisper,
  ParakeetFeatureExtractor: parakeet,
  CohereAsrFeatureExtractor: cohereAsr,
  SeamlessM4TFeatureExtractor: seamlessM4t,
  WeSpeakerFeatureExtractor: weSpeaker,
  ASTFeatureExtractor: ast,
  Wav2Vec2FeatureExtractor: wav2vec2,
  MoonshineFeatureExtractor: moonshine,
};
