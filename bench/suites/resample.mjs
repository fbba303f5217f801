/** The resampler beside Speex's at a quality of comparable stop band; bench/resample.mjs measures that it is 7. */
const PAIRS = [
  { from: 48000, to: 16000, quality: 7 },
  { from: 44100, to: 16000, quality: 7 },
  { from: 16000, to: 48000, quality: 7 },
];
const SECONDS = 5;
const TONE = 1000;
/** A tone in the pass band comes out as it went in, but for the ends: by amplitude. */
const SAME = 2e-3;

export default {
  name: "resample",
  title: `Resampling ${SECONDS} s`,
  jobs({ wavepool, peers }) {
    return PAIRS.map(({ from, to, quality }) => ({
      name: `${from} → ${to} Hz`,
      quick: from === 48000 ? undefined : false,
      check: (output) => ({ difference: offTone(output, to), allowed: SAME }),
      contenders: [ours(wavepool, from, to), ...(peers ? [speex(peers, from, to, quality)] : [])],
    }));
  },
};

const toneOf = (rate) =>
  Float32Array.from({ length: rate * SECONDS }, (_, i) =>
    Math.sin((2 * Math.PI * ((i * TONE) % rate)) / rate),
  );

/** How far the middle second is from a tone of amplitude 1, of any phase: largest difference to its fit. */
function offTone(output, rate) {
  const start = Math.floor(output.length / 2 / rate) * rate;
  const angle = (i) => (2 * Math.PI * ((i * TONE) % rate)) / rate;
  let [s, c] = [0, 0];
  for (let i = 0; i < rate; i++) {
    s += (2 / rate) * output[start + i] * Math.sin(angle(i));
    c += (2 / rate) * output[start + i] * Math.cos(angle(i));
  }
  let most = Math.abs(Math.hypot(s, c) - 1);
  for (let i = 0; i < rate; i++) {
    const difference = Math.abs(output[start + i] - s * Math.sin(angle(i)) - c * Math.cos(angle(i)));
    if (!(difference <= most)) most = difference;
  }
  return most;
}

function ours({ createCore, createBufferPool, createResampler }, from, to) {
  return {
    name: "wavepool",
    kind: "wavepool",
    async prepare() {
      const core = await createCore();
      const pool = createBufferPool(core, {
        name: "io",
        dtype: "f32",
        shape: Math.max(from, to) * SECONDS + 1024,
        max: 2,
      });
      const input = pool.acquire().view.subarray(0, from * SECONDS);
      const output = pool.acquire().view;
      input.set(toneOf(from));
      const resampler = createResampler(core, { from, to });
      const run = () => {
        resampler.reset();
        return resampler.process(input, output);
      };
      return { run, result: () => output.subarray(0, run()), close: () => resampler.close() };
    },
  };
}

function speex(peers, from, to, quality) {
  return {
    name: `@echogarden/speex-resampler-wasm, quality ${quality}`,
    kind: "peer",
    async prepare() {
      const wasm = await peers.wasm("speex");
      const room = { in: from * SECONDS, out: to * SECONDS + 1024 };
      const [error, inLength, outLength] = [0, 1, 2].map(() => wasm._malloc(4));
      const [source, target] = [wasm._malloc(room.in * 4), wasm._malloc(room.out * 4)];
      const state = wasm._speex_resampler_init(1, from, to, quality, error);
      if (wasm.HEAP32[error >> 2] !== 0) throw new Error(`speex: error ${wasm.HEAP32[error >> 2]}`);
      wasm.HEAPF32.set(toneOf(from), source / 4);
      const run = () => {
        wasm._speex_resampler_reset_mem(state);
        let [read, made] = [0, 0];
        while (read < room.in) {
          wasm.HEAP32[inLength >> 2] = room.in - read;
          wasm.HEAP32[outLength >> 2] = room.out - made;
          const [from, to] = [source + read * 4, target + made * 4];
          wasm._speex_resampler_process_float(state, 0, from, inLength, to, outLength);
          read += wasm.HEAP32[inLength >> 2];
          made += wasm.HEAP32[outLength >> 2];
        }
        return made;
      };
      return {
        run,
        result() {
          const made = run();
          return wasm.HEAPF32.slice(target / 4, target / 4 + made);
        },
        close: () => wasm._speex_resampler_destroy(state),
      };
    },
  };
}
