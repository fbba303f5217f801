/**
 * Features of whole clips, by preset and length, each held against the preset's float64 reference first. Peers begin with the clip in
 * an array of JavaScript's, and so does wavepool, which copies it into its memory in every call. For Whisper it also begins with a clip
 * in its pool, where its decoders and rings put sound, as native FFTW does with one in its own memory.
 */
import { greatestDifference } from "../harness/measure.mjs";
import { aroundTransform, plainSpectrum } from "../mel/plain.mjs";
import { speechLike } from "../mel/signal.mjs";

const RATE = 16000;
/** In seconds; presets that are not here have one length. */
const LENGTHS = {
  "whisper-80": [1, 5, 30],
  "whisper-128": [30],
  "nemo-80": [1, 5, 30],
  "kaldi-80": [1, 5, 30],
};
const LENGTH = 5;
const LONGEST = 30;
/** What --quick keeps. */
const QUICK = ["whisper-80, 5 s", "nemo-80, 5 s", "kaldi-80, 5 s"];
/**
 * Greatest error, absolute but for librosa's powers, whose is a share of the greatest. What the float32 of the reference
 * implementations has is of that order: features in ln or dB magnify what is faint.
 */
const ALLOWED = {
  "whisper-80": 1e-4,
  "whisper-128": 1e-4,
  librosa: 1e-6,
  wav2vec2: 1e-5,
  moonshine: 0,
  silero: 0,
};
const ALLOWED_LOG = 5e-3;
/** Extractors of transformers.js that give a preset's features, with the settings of published models. */
const EXTRACTORS = {
  wespeaker: {
    name: "WeSpeakerFeatureExtractor",
    settings: { num_mel_bins: 80, sampling_rate: RATE, min_num_frames: 9, fbank_centering_span: null },
  },
  "seamless-m4t": {
    name: "SeamlessM4TFeatureExtractor",
    settings: { num_mel_bins: 80, padding_value: 1, sampling_rate: RATE, stride: 2 },
  },
  wav2vec2: {
    name: "Wav2Vec2FeatureExtractor",
    settings: { do_normalize: true, sampling_rate: RATE },
  },
};
const MEYDA_FRAME = 512;
const HOP = 160;

export default {
  name: "mel",
  title: "Features of a clip",
  measure: "seconds",
  async jobs(context) {
    const { PRESETS, detectFeatures } = context.wavepool;
    const { relaxedSimd } = await detectFeatures();
    const sound = speechLike(LONGEST * 22050);
    return Object.entries(PRESETS).flatMap(([preset, { sampleRate }]) =>
      (LENGTHS[preset] ?? [LENGTH]).map((seconds) => {
        const clip = sound.subarray(0, seconds * sampleRate);
        const name = `${preset}, ${seconds} s`;
        return {
          name,
          size: seconds,
          quick: QUICK.includes(name) ? undefined : false,
          check: against(context.references[preset], preset, clip),
          contenders: [
            ours(context, preset, clip, {}),
            ...(preset.startsWith("whisper") ? [ours(context, preset, clip, { pooled: true })] : []),
            {
              ...ours(context, preset, clip, { relaxed: true }),
              ...(!relaxedSimd && { lacks: "this runtime has no relaxed SIMD" }),
            },
            ...others(context, preset, clip),
          ],
        };
      }),
    );
  },
};

function against(reference, preset, clip) {
  let expected;
  const allowed = ALLOWED[preset] ?? ALLOWED_LOG;
  const share = preset === "librosa";
  return (features) => {
    expected ??= reference(clip);
    const greatest = share ? expected.reduce((most, x) => Math.max(most, Math.abs(x)), 0) : 1;
    return { difference: greatestDifference(features, expected) / greatest, allowed };
  };
}

function others({ peers, native }, preset, clip) {
  const [family, width] = preset.split("-");
  const mels = Number(width);
  if (family !== "whisper") {
    if (!peers) return [];
    if (family === "nemo") return [parakeet(peers, mels, clip)];
    return preset in EXTRACTORS ? [extractor(peers, EXTRACTORS[preset], clip)] : [];
  }
  const plain = () => counted(aroundTransform(plainSpectrum())({ mels, clip }));
  return [
    { name: "plain JavaScript, float64", kind: "yardstick", prepare: plain },
    ...(peers
      ? [
          ...[transformers, kissfft, pffft, meyda].map((peer) => peer(peers, mels, clip)),
          fftw(native, mels, clip),
        ]
      : []),
  ];
}

/** The contender's own output is a view or an array: one number of it shows that the work was done. */
const counted = ({ run, features }) => ({
  run: () => {
    run();
    return 1;
  },
  result: features,
});

function ours({ wavepool }, preset, clip, { relaxed = false, pooled = false }) {
  return {
    name: `wavepool, ${relaxed ? "relaxed" : "base"} SIMD${pooled ? ", clip in its pool" : ""}`,
    kind: "wavepool",
    async prepare() {
      const core = await wavepool.createCore({ relaxed });
      if (core.relaxed !== relaxed) throw new Error("this runtime has no relaxed SIMD");
      const pool = (name, shape) =>
        wavepool.createBufferPool(core, { name, dtype: "f32", shape, max: 1 }).acquire();
      const front = wavepool.createFrontEnd(core, { preset, pad: false });
      const [frames, width] = front.shape(clip.length);
      const audio = pool("audio", clip.length).view;
      const out = pool("mel", frames * width).view;
      audio.set(clip);
      const compute = () => front.compute(audio, out);
      const copyAndCompute = () => {
        audio.set(clip);
        return compute();
      };
      const run = pooled ? compute : copyAndCompute;
      return {
        run,
        result() {
          run();
          return out;
        },
      };
    },
  };
}

function transformers(peers, mels, clip) {
  return {
    name: "@huggingface/transformers",
    kind: "peer",
    async prepare() {
      const { WhisperFeatureExtractor } = await peers.load("@huggingface/transformers");
      const sizes = { feature_size: mels, sampling_rate: RATE, hop_length: HOP, n_fft: 400 };
      const window = { chunk_length: 30, n_samples: 30 * RATE, nb_max_frames: 3000 };
      const extract = new WhisperFeatureExtractor({ ...sizes, ...window });
      const features = async () => (await extract(clip, { max_length: clip.length })).input_features.data;
      return { run: async () => (await features())[0], result: features, asynchronous: true };
    },
  };
}

function extractor(peers, { name, settings }, clip) {
  return {
    name: "@huggingface/transformers",
    kind: "peer",
    async prepare() {
      const { [name]: Extractor } = await peers.load("@huggingface/transformers");
      const extract = new Extractor(settings);
      const features = async () => {
        const { input_features, input_values } = await extract(clip);
        return (input_features ?? input_values).data;
      };
      return { run: async () => (await features())[0], result: features, asynchronous: true };
    },
  };
}

function kissfft(peers, mels, clip) {
  return {
    name: "kissfft-wasm in plain JavaScript",
    kind: "peer",
    prepare: async () => counted(aroundTransform(await peers.spectrum("kissfft"))({ mels, clip })),
  };
}

function pffft(peers, mels, clip) {
  return {
    name: "@echogarden/pffft-wasm in plain JavaScript",
    kind: "peer",
    prepare: async () => counted(aroundTransform(await peers.spectrum("pffft"))({ mels, clip })),
  };
}

function parakeet(peers, mels, clip) {
  return {
    name: "parakeet.js",
    kind: "peer",
    async prepare() {
      const { JsPreprocessor } = await peers.load("parakeet.js/mel");
      const preprocessor = new JsPreprocessor({ nMels: mels });
      const features = () => preprocessor.process(clip).features;
      return { run: () => features()[0], result: features };
    },
  };
}

function meyda(peers, mels, clip) {
  return {
    name: "meyda",
    kind: "peer",
    other: "512 points, mels unlike Slaney's, ln(1 + x), no padding",
    async prepare() {
      const { default: module } = await peers.load("meyda");
      const Meyda = module.default ?? module;
      const columns = () => {
        Meyda.bufferSize = MEYDA_FRAME;
        Meyda.sampleRate = RATE;
        Meyda.melBands = mels;
        const all = [];
        for (let start = 0; start + MEYDA_FRAME <= clip.length; start += HOP) {
          all.push(Meyda.extract("melBands", clip.subarray(start, start + MEYDA_FRAME)));
        }
        return all;
      };
      return { run: () => columns()[0][0], result: () => Float32Array.from(columns().flat()) };
    },
  };
}

/** A program of its own that is asked for its times. */
function fftw(native, mels, clip) {
  return {
    name: "FFTW 3, native",
    kind: "yardstick",
    lacks: native ? undefined : "the program is asked from Node",
    async prepare() {
      const program = await native();
      const { time, features } = program.prepare({ mels, seconds: clip.length / RATE });
      return { time, run: () => 1, result: features, close: program.end };
    },
  };
}
