/** Features of live sound: a block of 128 samples as an audio worklet brings them, pushed and its frames computed. */
import { greatestDifference } from "../harness/measure.mjs";
import { speechLike } from "../mel/signal.mjs";

const RATE = 16000;
const BLOCK = 128;
/** Two seconds: 250 blocks a call. */
const SECONDS = 2;
const BLOCKS = (SECONDS * RATE) / BLOCK;

export default {
  name: "stream",
  title: "Streaming, a block of 128 samples",
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
          return { difference: greatestDifference(features, reference), allowed: 1e-4 };
        },
        contenders: [
          ours(wavepool, preset, sound, (whole) => {
            reference = whole;
          }),
          ...(peers && preset === "nemo-80" ? [parakeet(peers, sound)] : []),
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
        let made = 0;
        for (let i = 0; i < BLOCKS; i++) made += stream.push(blocks[i]);
        return made;
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

function parakeet(peers, sound) {
  return {
    name: "parakeet.js, incremental",
    kind: "peer",
    other: "it takes the whole clip so far each time and computes the new frames; 10 blocks at once here",
    async prepare() {
      const { IncrementalMelProcessor } = await peers.load("parakeet.js/mel");
      if (!IncrementalMelProcessor) throw new Error("this version has no IncrementalMelProcessor");
      const run = () => {
        const processor = new IncrementalMelProcessor({ nMels: 80 });
        let length = 0;
        for (let i = 10; i <= BLOCKS; i += 10) {
          const prefix = i === 10 ? 0 : (i - 10) * BLOCK;
          ({ length } = processor.process(sound.subarray(0, i * BLOCK), prefix));
        }
        return length;
      };
      return { run };
    },
  };
}
