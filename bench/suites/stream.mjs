/**
 * Features of live sound: blocks of 128 samples as an audio worklet brings them are pushed, and each 80 ms all features so far are
 * read, normalised over what there is, as a model takes them.
 */
import { greatestDifference } from "../harness/measure.mjs";
import { speechLike } from "../mel/signal.mjs";

const RATE = 16000;
const BLOCK = 128;
/** Two seconds: 250 blocks a call. */
const SECONDS = 2;
const BLOCKS = (SECONDS * RATE) / BLOCK;
/** Blocks from one look at the features to the next. */
const STEP = 10;
/** NeMo's features are in units of their deviation, which parakeet.js has in other rounding. */
const ALLOWED = { ours: 1e-4, peer: 5e-3 };

export default {
  name: "stream",
  title: "Streaming, a block of 128 samples, all features so far each 80 ms",
  jobs({ wavepool, peers }) {
    const sound = speechLike(SECONDS * RATE);
    return ["whisper-80", "nemo-80", "kaldi-80"].map((preset) => {
      let reference;
      return {
        name: preset,
        unit: "µs",
        count: BLOCKS,
        check(features) {
          if (features === undefined) return { difference: 1, allowed: 0, why: "it gave no frames" };
          return { difference: greatestDifference(features, reference), allowed: ALLOWED.ours };
        },
        contenders: [
          ours(wavepool, preset, sound, (whole) => {
            reference = whole;
          }),
          ...(peers && preset === "nemo-80" ? [parakeet(peers, sound, () => reference)] : []),
        ],
      };
    });
  },
};

/** The stream is held against the clip as a whole, which suite mel holds against others. */
function ours({ createCore, createBufferPool, createFrontEnd }, preset, sound, refer) {
  return {
    name: "wavepool",
    kind: "wavepool",
    async prepare() {
      const core = await createCore();
      const take = (name, shape) =>
        createBufferPool(core, { name, dtype: "f32", shape, max: 1 }).acquire().view;
      const front = createFrontEnd(core, { preset, pad: false });
      const [frames, width] = front.shape(sound.length);
      const audio = take("audio", sound.length);
      const out = take("out", frames * width);
      audio.set(sound);
      front.compute(audio, out);
      refer(out.slice());
      const stream = front.stream();
      const blocks = Array.from({ length: BLOCKS }, (_, i) => audio.subarray(i * BLOCK, (i + 1) * BLOCK));
      const run = () => {
        stream.reset();
        let read = 0;
        for (let i = 0; i < BLOCKS; i++) {
          stream.push(blocks[i]);
          if ((i + 1) % STEP === 0) read += stream.read(out);
        }
        return read;
      };
      return {
        run,
        result() {
          out.fill(0);
          run();
          stream.flush();
          stream.read(out);
          return out;
        },
        close: () => stream.close(),
      };
    },
  };
}

/** It takes the whole clip so far, of which it knows how much it has seen, and gives all features so far. */
function parakeet(peers, sound, reference) {
  return {
    name: "parakeet.js, incremental",
    kind: "peer",
    check: (features) => ({
      difference: greatestDifference(features, reference()),
      allowed: ALLOWED.peer,
    }),
    async prepare() {
      const { IncrementalMelProcessor } = await peers.load("parakeet.js/mel");
      if (!IncrementalMelProcessor) throw new Error("this version has no IncrementalMelProcessor");
      const processor = new IncrementalMelProcessor({ nMels: 80 });
      const clips = Array.from({ length: BLOCKS / STEP }, (_, i) =>
        sound.subarray(0, (i + 1) * STEP * BLOCK),
      );
      const features = () => {
        processor.reset();
        let made;
        let seen = 0;
        for (const clip of clips) {
          made = processor.process(clip, seen).features;
          seen = clip.length;
        }
        return made;
      };
      return { run: () => features()[0], result: features };
    },
  };
}
