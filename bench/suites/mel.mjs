/** Log-mel of whole clips, by preset and length. */
import { greatestDifference } from "../harness/measure.mjs";
import { aroundTransform, plainSpectrum } from "../mel/plain.mjs";
import { speechLike } from "../mel/signal.mjs";
import { kaldiRows } from "./kaldi-rows.mjs";

const RATE = 16000;
const LENGTHS = { "whisper-80": [1, 5, 30], "whisper-128": [30], "nemo-80": [5, 30], "kaldi-80": [5, 30] };
/** Lengths that --quick keeps. */
const QUICK = [5];
const SAME = 1e-4;
/** NeMo's and Kaldi's features are ln, several times as large as Whisper's, and parakeet.js computes in float32 as well. */
const SAME_LN = 5e-3;
/** Frames that Kaldi's reference computes, by definition and so slowly. */
const KALDI_FRAMES = 5;
const MEYDA_FRAME = 512;
const HOP = 160;

export default {
  name: "mel",
  title: "Log-mel of a clip",
  measure: "seconds",
  async jobs(context) {
    const sound = speechLike(30 * RATE);
    const { relaxedSimd } = await context.wavepool.detectFeatures();
    const jobs = [];
    for (const [preset, lengths] of Object.entries(LENGTHS)) {
      for (const seconds of lengths) {
        const clip = sound.subarray(0, seconds * RATE);
        jobs.push({
          name: `${preset}, ${seconds} s`,
          size: seconds,
          quick: QUICK.includes(seconds) ? undefined : false,
          ...(await by[preset.split("-")[0]]({ ...context, relaxedSimd }, preset, clip)),
        });
      }
    }
    return jobs;
  },
};

const by = {
  whisper(context, preset, clip) {
    const mels = Number(preset.split("-")[1]);
    const plain = () => aroundTransform(plainSpectrum())({ mels, clip });
    let reference;
    const { peers, native } = context;
    return {
      check(features) {
        reference ??= plain().features().slice();
        return { difference: greatestDifference(features, reference), allowed: SAME };
      },
      contenders: [
        ours(context, preset, clip, false),
        ...(context.relaxedSimd ? [ours(context, preset, clip, true)] : []),
        { name: "plain JavaScript, float64", kind: "yardstick", prepare: () => counted(plain()) },
        ...(peers
          ? [
              transformers(peers, mels, clip),
              kissfft(peers, mels, clip),
              pffft(peers, mels, clip),
              meyda(peers, mels, clip),
            ]
          : []),
        ...(native ? [fftw(native, mels, clip)] : []),
      ],
    };
  },

  async nemo(context, preset, clip) {
    const { peers } = context;
    // The only other implementation that runs here; where it is not, wavepool's own plain sum is what is left to check.
    let reference;
    try {
      if (peers) reference = (await parakeet(peers, clip).prepare()).result();
    } catch {} // named as failed when its turn comes
    return {
      check: (features) =>
        reference
          ? { difference: greatestDifference(features, reference), allowed: SAME_LN }
          : finite(features),
      contenders: [ours(context, preset, clip, false), ...(peers ? [parakeet(peers, clip)] : [])],
    };
  },

  kaldi(context, preset, clip) {
    return {
      check(features) {
        const rows = kaldiRows(clip, KALDI_FRAMES);
        return { difference: greatestDifference(features.slice(0, rows.length), rows), allowed: SAME_LN };
      },
      contenders: [ours(context, preset, clip, false)],
    };
  },
};

const finite = (features) => ({ difference: features.every(Number.isFinite) ? 0 : 1, allowed: 0 });

/** The contender's own output is a view or an array: one number of it shows that the work was done. */
const counted = ({ run, features }) => ({
  run: () => {
    run();
    return 1;
  },
  result: features,
});

function ours({ wavepool }, preset, clip, relaxed) {
  return {
    name: `wavepool, ${relaxed ? "relaxed" : "base"} SIMD`,
    kind: "wavepool",
    async prepare() {
      const core = await wavepool.createCore({ threads: false, relaxed });
      if (core.relaxed !== relaxed) throw new Error("this runtime has no relaxed SIMD");
      const pool = (name, shape) =>
        wavepool.createBufferPool(core, { name, dtype: "f32", shape, max: 1 }).acquire();
      const front = wavepool.createFrontEnd(core, { preset, pad: false });
      const [frames, width] = front.shape(clip.length);
      const audio = pool("audio", clip.length).view;
      const out = pool("mel", frames * width).view;
      audio.set(clip);
      const run = () => front.compute(audio, out);
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

function parakeet(peers, clip) {
  return {
    name: "parakeet.js",
    kind: "peer",
    async prepare() {
      const { JsPreprocessor } = await peers.load("parakeet.js/mel");
      const preprocessor = new JsPreprocessor({ nMels: 80 });
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
    async prepare() {
      const program = await native();
      const { time, features } = program.prepare({ mels, seconds: clip.length / RATE });
      return { time, run: () => 1, result: features, close: program.end };
    },
  };
}
