/** Transforms of real samples, by size: those of speech front ends, and powers of two. */
import { greatestDifference } from "../harness/measure.mjs";
import { seededNoise } from "../mel/signal.mjs";

const SIZES = [256, 400, 512, 1024, 2048];
const QUICK = [400, 512];
/** Transforms a call, of frames that lie one after another. */
const COUNT = 20;
/** Relative to √n, by which rounding grows at most. */
const SAME = 3e-6;

export default {
  name: "fft",
  title: "FFT of real samples",
  measure: "points",
  jobs({ wavepool, peers }) {
    return SIZES.map((size) => {
      const noise = seededNoise(size);
      const frame = Float32Array.from({ length: size }, noise);
      let reference;
      return {
        name: `${size} points`,
        size,
        unit: "µs",
        count: COUNT,
        quick: QUICK.includes(size) ? undefined : false,
        check(spectrum) {
          reference ??= dft(frame);
          return { difference: greatestDifference(spectrum, reference) / Math.sqrt(size), allowed: SAME };
        },
        contenders: [
          ours(wavepool, frame),
          ...(peers ? [kissfft(peers, frame), pffft(peers, frame), fftjs(peers, frame)] : []),
        ],
      };
    });
  },
};

/** By definition, in float64: re, im, re, … of the bins 0 to n / 2. */
function dft(frame) {
  const { length } = frame;
  const out = new Float64Array(length + 2);
  for (let bin = 0; bin <= length / 2; bin++) {
    for (let n = 0; n < length; n++) {
      const angle = (2 * Math.PI * ((bin * n) % length)) / length;
      out[2 * bin] += frame[n] * Math.cos(angle);
      out[2 * bin + 1] -= frame[n] * Math.sin(angle);
    }
  }
  return out;
}

function ours({ createCore, createBufferPool, createFft }, frame) {
  return {
    name: "wavepool",
    kind: "wavepool",
    async prepare() {
      const size = frame.length;
      const core = await createCore({ threads: false, memoryBytes: 2 ** 23 });
      const take = (name, shape) =>
        createBufferPool(core, { name, dtype: "f32", shape, max: 1 }).acquire().view;
      const input = take("in", COUNT * size);
      const output = take("out", COUNT * (size + 2));
      for (let i = 0; i < COUNT; i++) input.set(frame, i * size);
      const fft = createFft(core, { size, kind: "real" });
      const run = () => fft.forward(input, output, COUNT);
      return {
        run,
        result() {
          run();
          return output.subarray(0, size + 2);
        },
      };
    },
  };
}

function kissfft(peers, frame) {
  return {
    name: "kissfft-wasm",
    kind: "peer",
    async prepare() {
      const size = frame.length;
      const wasm = await peers.wasm("kissfft");
      const config = wasm._kiss_fftr_alloc(size, false, 0, 0);
      const [input, output] = [wasm._malloc(size * 4), wasm._malloc((size + 2) * 4)];
      wasm.HEAPF32.set(frame, input / 4);
      const run = () => {
        for (let i = 0; i < COUNT; i++) wasm._kiss_fftr(config, input, output);
        return 1;
      };
      return {
        run,
        result() {
          run();
          return wasm.HEAPF32.subarray(output / 4, output / 4 + size + 2);
        },
      };
    },
  };
}

/** Real where it can, multiples of 32; else the real samples as complex ones. */
function pffft(peers, frame) {
  const size = frame.length;
  const real = size % 32 === 0;
  return {
    name: `@echogarden/pffft-wasm${real ? "" : ", complex"}`,
    kind: "peer",
    async prepare() {
      const wasm = await peers.wasm("pffft");
      const setup = wasm._pffft_new_setup(size, real ? 0 : 1);
      if (setup === 0) throw new Error(`it takes no ${size} points`);
      const [input, output, work] = [0, 1, 2].map(() => wasm._pffft_aligned_malloc(2 * size * 4));
      for (let n = 0; n < size; n++) {
        if (real) wasm.HEAPF32[input / 4 + n] = frame[n];
        else wasm.HEAPF32.set([frame[n], 0], input / 4 + 2 * n);
      }
      const run = () => {
        for (let i = 0; i < COUNT; i++) wasm._pffft_transform_ordered(setup, input, output, work, 0);
        return 1;
      };
      return {
        run,
        result() {
          run();
          const out = wasm.HEAPF32.slice(output / 4, output / 4 + size + 2);
          if (real) {
            // Bin n / 2 lies in the place of the imaginary part of bin 0.
            out[size] = out[1];
            out[1] = out[size + 1] = 0;
          }
          return out;
        },
      };
    },
  };
}

function fftjs(peers, frame) {
  return {
    name: "fft.js",
    kind: "peer",
    lacks: Number.isInteger(Math.log2(frame.length)) ? undefined : "powers of two only",
    async prepare() {
      const { default: Fft } = await peers.load("fft.js");
      const fft = new Fft(frame.length);
      const input = Array.from(frame);
      const out = fft.createComplexArray();
      const run = () => {
        for (let i = 0; i < COUNT; i++) fft.realTransform(out, input);
        return out[0];
      };
      return {
        run,
        result() {
          run();
          return Float32Array.from(out.slice(0, frame.length + 2));
        },
      };
    },
  };
}
