/** Transforms of real samples, by size: those of speech front ends, and powers of two. */
import { greatestDifference } from "../harness/measure.mjs";
import { seededNoise } from "../mel/signal.mjs";

const SIZES = [256, 400, 512, 1024, 2048];
/** Sizes of which one frame a call is measured too: the rest of what a call costs is the same. */
const ALONE = [256, 400, 512];
const QUICK = [400, 512];
/**
 * Frames that all contenders transform, one after another in memory, each to a place of its own: one frame again and
 * again would stay in the nearest cache, which the frames of a sound do not.
 */
const COUNT = 20;
/** Relative to √n, by which rounding grows at most. */
const SAME = 3e-6;

export default {
  name: "fft",
  title: "FFT of real samples",
  measure: "points",
  jobs({ wavepool, peers }) {
    const job = (size, alone) => {
      const frames = Float32Array.from({ length: COUNT * size }, seededNoise(size));
      let reference;
      return {
        name: `${size} points${alone ? ", one a call" : ""}`,
        size,
        unit: "µs",
        count: COUNT,
        quick: QUICK.includes(size) && !alone ? undefined : false,
        check(spectrum) {
          reference ??= dft(frames.subarray(-size)); // the last, which shows that all were done
          return { difference: greatestDifference(spectrum, reference) / Math.sqrt(size), allowed: SAME };
        },
        contenders: [
          ours(wavepool, size, frames, alone ? "apart" : "together"),
          ...(alone ? [ours(wavepool, size, frames, "new views")] : []),
          ...(peers
            ? [kissfft(peers, size, frames), pffft(peers, size, frames), fftjs(peers, size, frames)]
            : []),
        ],
      };
    };
    return [...SIZES.map((size) => job(size, false)), ...ALONE.map((size) => job(size, true))];
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

/** All frames in one call, in a call each, as the peers take them, or so and with views that are made for it, which takes its time. */
function ours({ createCore, createBufferPool, createFft }, size, frames, way) {
  return {
    name: `wavepool${way === "new views" ? ", new views each call" : ""}`,
    kind: "wavepool",
    async prepare() {
      const core = await createCore({ memoryBytes: 2 ** 23 });
      const take = (name, shape) =>
        createBufferPool(core, { name, dtype: "f32", shape, max: 1 }).acquire().view;
      const input = take("in", COUNT * size);
      const output = take("out", COUNT * (size + 2));
      input.set(frames);
      const each = (view, length) =>
        Array.from({ length: COUNT }, (_, i) => view.subarray(i * length, (i + 1) * length));
      const [inputs, outputs] = [each(input, size), each(output, size + 2)];
      const fft = createFft(core, { size, kind: "real" });
      const together = () => fft.forward(input, output, COUNT);
      function apart() {
        for (let i = 0; i < COUNT; i++) fft.forward(inputs[i], outputs[i], 1);
        return COUNT;
      }
      const place = size + 2;
      function withNewViews() {
        for (let i = 0; i < COUNT; i++) {
          fft.forward(
            input.subarray(i * size, (i + 1) * size),
            output.subarray(i * place, (i + 1) * place),
            1,
          );
        }
        return COUNT;
      }
      const run = { together, apart, "new views": withNewViews }[way];
      return {
        run,
        result() {
          run();
          return outputs.at(-1);
        },
      };
    },
  };
}

function kissfft(peers, size, frames) {
  return {
    name: "kissfft-wasm",
    kind: "peer",
    async prepare() {
      const wasm = await peers.wasm("kissfft");
      const config = wasm._kiss_fftr_alloc(size, false, 0, 0);
      const [step, place] = [size * 4, (size + 2) * 4];
      const [input, output] = [wasm._malloc(COUNT * step), wasm._malloc(COUNT * place)];
      wasm.HEAPF32.set(frames, input / 4);
      const run = () => {
        for (let i = 0; i < COUNT; i++) wasm._kiss_fftr(config, input + i * step, output + i * place);
        return 1;
      };
      return {
        run,
        result() {
          run();
          const last = (output + (COUNT - 1) * place) / 4;
          return wasm.HEAPF32.subarray(last, last + size + 2);
        },
      };
    },
  };
}

/** Real where it can, multiples of 32; else two frames go as one complex one, and are taken apart. */
function pffft(peers, size, frames) {
  const real = size % 32 === 0;
  return {
    name: `@echogarden/pffft-wasm${real ? "" : ", two frames as complex"}`,
    kind: "peer",
    async prepare() {
      const wasm = await peers.wasm("pffft");
      const setup = wasm._pffft_new_setup(size, real ? 0 : 1);
      if (setup === 0) throw new Error(`it takes no ${size} points`);
      const step = (real ? 1 : 2) * size * 4; // whole vectors of 16 bytes, which it asks for
      const [input, output, work] = [COUNT, COUNT, 1].map((count) =>
        wasm._pffft_aligned_malloc(count * step),
      );
      if (real) wasm.HEAPF32.set(frames, input / 4);
      else wasm.HEAPF32.set(paired(frames, size), input / 4);
      if (!real) return pairs(wasm, { setup, size, step, input, output, work });
      const run = () => {
        for (let i = 0; i < COUNT; i++) {
          wasm._pffft_transform_ordered(setup, input + i * step, output + i * step, work, 0);
        }
        return 1;
      };
      return {
        run,
        result() {
          run();
          const last = (output + (COUNT - 1) * step) / 4;
          const out = wasm.HEAPF32.slice(last, last + size + 2);
          // Bin n / 2 lies in the place of the imaginary part of bin 0.
          out[size] = out[1];
          out[1] = out[size + 1] = 0;
          return out;
        },
      };
    },
  };
}

/** Every other frame as the imaginary part of the one before. */
function paired(frames, size) {
  return Float32Array.from({ length: frames.length }, (_, at) => {
    const [pair, n] = [Math.floor(at / (2 * size)), (at >> 1) % size];
    return frames[(2 * pair + (at & 1)) * size + n];
  });
}

function pairs(wasm, { setup, size, step, input, output, work }) {
  const spectra = new Float32Array(COUNT * (size + 2));
  function apart(from, to) {
    const memory = wasm.HEAPF32;
    for (let k = 0; k <= size / 2; k++) {
      const [at, mirror] = [from + 2 * k, from + 2 * ((size - k) % size)];
      spectra[to + 2 * k] = (memory[at] + memory[mirror]) / 2;
      spectra[to + 2 * k + 1] = (memory[at + 1] - memory[mirror + 1]) / 2;
      spectra[to + size + 2 + 2 * k] = (memory[at + 1] + memory[mirror + 1]) / 2;
      spectra[to + size + 3 + 2 * k] = (memory[mirror] - memory[at]) / 2;
    }
  }
  function run() {
    for (let i = 0; i < COUNT / 2; i++) {
      wasm._pffft_transform_ordered(setup, input + i * step, output + i * step, work, 0);
      apart((output + i * step) / 4, 2 * i * (size + 2));
    }
    return 1;
  }
  return {
    run,
    result() {
      run();
      return spectra.subarray(-(size + 2));
    },
  };
}

function fftjs(peers, size, frames) {
  return {
    name: "fft.js",
    kind: "peer",
    lacks: Number.isInteger(Math.log2(size)) ? undefined : "powers of two only",
    async prepare() {
      const { default: Fft } = await peers.load("fft.js");
      const fft = new Fft(size);
      const inputs = Array.from({ length: COUNT }, (_, i) => [...frames.subarray(i * size, (i + 1) * size)]);
      const outs = inputs.map(() => fft.createComplexArray());
      const run = () => {
        for (let i = 0; i < COUNT; i++) fft.realTransform(outs[i], inputs[i]);
        return outs[0][0];
      };
      return {
        run,
        result() {
          run();
          return Float32Array.from(outs.at(-1).slice(0, size + 2));
        },
      };
    },
  };
}
