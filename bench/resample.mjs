/**
 * The resampler beside Speex's, compiled to Wasm with SIMD: 30 s of mono, interleaved in one run.
 *
 *     npm run bench:resample
 *
 * Both are measured for what they do, by the same tones, before they are timed. Speex's qualities 6 to 10 are
 * looked at; the fastest that has wavepool's pass band, and a stop band at most 1 dB worse than the promised
 * 100 dB, is the one to compare with.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { createBufferPool, createCore, createResampler } from "../dist/index.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const PAIRS = [
  [48000, 16000],
  [44100, 16000],
  [16000, 48000],
];
const SECONDS = 30;
const ROUNDS = 25;
const WARM_UP = 3;
/** Blocks of a stream, in seconds. */
const BLOCK = 0.02;
const QUALITIES = [6, 7, 8, 9, 10];
const PASS_BAND = 0.9;
const RIPPLE = 0.01;
const STOP_BAND = -99;
/** Outputs that a tone is judged by, after those that the filter's edge reaches. */
const TONE_LENGTH = 1500;
const TONE_SKIP = 1000;

if (!existsSync(`${here}node_modules/@echogarden/speex-resampler-wasm`)) {
  console.error("installing the peers of bench/package.json …");
  execFileSync("npm", ["ci", "--prefix", here, "--ignore-scripts", "--no-audit", "--no-fund"], {
    stdio: "inherit",
  });
}
const { default: loadSpeex } = await import("@echogarden/speex-resampler-wasm/simd");
const speex = await loadSpeex();
const core = await createCore();

console.log(
  `${cpus()[0].model}, ${availableParallelism()} cores, Node ${process.versions.node}; one thread, ${SECONDS} s, median [p10 … p90]; ` +
    `wavepool's core ${core.threads ? "with" : "without"} threads, ${core.relaxed ? "with" : "without"} relaxed SIMD`,
);
for (const [from, to] of PAIRS) compare(from, to);

function compare(from, to) {
  console.log(`\n${from} → ${to} Hz`);
  const ours = wavepool(from, to);
  report("wavepool high", measure(ours, from, to));
  let peer;
  for (const quality of QUALITIES) {
    const candidate = speexOf(from, to, quality);
    const measured = measure(candidate, from, to);
    report(`speex ${quality}`, measured);
    const comparable = measured.ripple <= RIPPLE && measured.stop <= STOP_BAND;
    if (comparable && !peer) peer = candidate;
    else candidate.close();
  }
  if (!peer) throw new Error("no quality of Speex is comparable: nothing to time");
  fill(ours.input);
  fill(peer.input);
  time("whole", ours, peer, from * SECONDS);
  time(`blocks of ${BLOCK * 1000} ms`, ours, peer, from * BLOCK);
  ours.close();
  peer.close();
}

/** Input and output lie in the core, as pooled buffers do. */
function wavepool(from, to) {
  const shape = Math.max(from, to) * SECONDS;
  const pool = createBufferPool(core, { name: "io", dtype: "f32", shape, max: 2 });
  const source = pool.acquire();
  const target = pool.acquire();
  const resampler = createResampler(core, { from, to });
  const input = source.view.subarray(0, from * SECONDS);
  const output = target.view;
  return {
    input,
    output,
    run(length, block) {
      resampler.reset();
      if (block >= length) {
        const whole = input.length === length ? input : input.subarray(0, length);
        return resampler.process(whole, output);
      }
      let made = 0;
      for (let at = 0; at < length; at += block) {
        made += resampler.process(input.subarray(at, at + block), output.subarray(made));
      }
      return made;
    },
    close() {
      resampler.close();
      source.release();
      target.release();
      pool.shutdown();
    },
  };
}

/** Input and output lie in Speex's own heap. */
function speexOf(from, to, quality) {
  const room = from * SECONDS;
  const outRoom = Math.ceil((room * to) / from) + 1;
  const [error, inLength, outLength] = [speex._malloc(4), speex._malloc(4), speex._malloc(4)];
  const source = speex._malloc(room * 4);
  const target = speex._malloc(outRoom * 4);
  const state = speex._speex_resampler_init(1, from, to, quality, error);
  if (speex.HEAP32[error >> 2] !== 0) throw new Error(`speex: error ${speex.HEAP32[error >> 2]}`);
  return {
    quality,
    // Views of Speex's heap are made anew when it has grown.
    get input() {
      return new Float32Array(speex.HEAPF32.buffer, source, room);
    },
    get output() {
      return new Float32Array(speex.HEAPF32.buffer, target, outRoom);
    },
    run(length, block) {
      speex._speex_resampler_reset_mem(state);
      let made = 0;
      for (let at = 0; at < length; ) {
        speex.HEAP32[inLength >> 2] = Math.min(block, length - at);
        speex.HEAP32[outLength >> 2] = outRoom - made;
        speex._speex_resampler_process_float(
          state,
          0,
          source + at * 4,
          inLength,
          target + made * 4,
          outLength,
        );
        at += speex.HEAP32[inLength >> 2];
        made += speex.HEAP32[outLength >> 2];
      }
      return made;
    },
    close() {
      speex._speex_resampler_destroy(state);
      for (const pointer of [error, inLength, outLength, source, target]) speex._free(pointer);
    },
  };
}

/** Ripple of the pass band, and what comes through or is mirrored from the stop band on, in decibels. */
function measure(resampler, from, to) {
  const nyquist = Math.min(from, to) / 2;
  const length = Math.ceil(((TONE_SKIP + TONE_LENGTH) * from) / to) + 1000;
  const tone = (hz) => {
    const { input } = resampler;
    for (let i = 0; i < length; i++) input[i] = Math.sin((2 * Math.PI * ((i * hz) % from)) / from);
    resampler.run(length, length);
    return fit(resampler.output.subarray(TONE_SKIP, TONE_SKIP + TONE_LENGTH), hz, to);
  };
  const worst = (low, high, count, figure) =>
    Array.from({ length: count }, (_, i) =>
      figure(tone(Math.round(low + ((high - low) * i) / (count - 1)))),
    ).reduce((most, x) => Math.max(most, x));
  const ripple = worst(nyquist / 50, PASS_BAND * nyquist, 60, ({ gain }) => Math.abs(gain));
  if (from < to) return { ripple, stop: worst(nyquist / 50, nyquist - 1, 120, ({ rest }) => rest) };
  const edge = worst(nyquist + 1, 1.1 * nyquist, 60, ({ all }) => all);
  return {
    ripple,
    stop: Math.max(
      edge,
      worst(1.1 * nyquist, from / 2 - 1, 60, ({ all }) => all),
    ),
  };
}

/** Least-squares fit of a tone of any phase: its level, that of the rest, and that of all, in decibels. */
function fit(out, hz, rate) {
  const sums = { ss: 0, sc: 0, cc: 0, ys: 0, yc: 0, yy: 0 };
  for (let i = 0; i < out.length; i++) {
    const angle = (2 * Math.PI * ((i * hz) % rate)) / rate;
    const s = Math.sin(angle);
    const c = Math.cos(angle);
    sums.ss += s * s;
    sums.sc += s * c;
    sums.cc += c * c;
    sums.ys += out[i] * s;
    sums.yc += out[i] * c;
    sums.yy += out[i] * out[i];
  }
  const { ss, sc, cc, ys, yc, yy } = sums;
  const determinant = ss * cc - sc * sc;
  const a = (ys * cc - yc * sc) / determinant;
  const b = (yc * ss - ys * sc) / determinant;
  let rest = 0;
  for (let i = 0; i < out.length; i++) {
    const angle = (2 * Math.PI * ((i * hz) % rate)) / rate;
    rest += (out[i] - a * Math.sin(angle) - b * Math.cos(angle)) ** 2;
  }
  const decibels = (power) => 10 * Math.log10(power);
  return {
    gain: decibels(a * a + b * b),
    rest: decibels((2 * rest) / out.length),
    all: decibels((2 * yy) / out.length),
  };
}

function report(name, { ripple, stop }) {
  console.log(
    `  ${name.padEnd(16)} ripple up to ${PASS_BAND} of Nyquist ${ripple.toFixed(5)} dB, stop band ${stop.toFixed(1)} dB`,
  );
}

function fill(input) {
  let state = 1;
  for (let i = 0; i < input.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    input[i] = state / 2 ** 31 - 1;
  }
}

function time(name, ours, peer, block) {
  const { length } = ours.input;
  const ourTimes = [];
  const theirTimes = [];
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    const start = performance.now();
    ours.run(length, block);
    const middle = performance.now();
    peer.run(length, block);
    const end = performance.now();
    if (round < 0) continue;
    ourTimes.push(middle - start);
    theirTimes.push(end - middle);
  }
  const ratios = theirTimes.map((ms, i) => ms / ourTimes[i]);
  console.log(
    `  ${name.padEnd(16)} wavepool ${spread(ourTimes)} ms   speex ${peer.quality} ${spread(theirTimes)} ms   ratio ${spread(ratios)} ×`,
  );
}

function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part) => sorted[Math.floor(part * (sorted.length - 1))];
  const show = (x) => (x < 10 ? x.toFixed(2) : x.toFixed(1));
  return `${show(at(0.5)).padStart(5)} [${show(at(0.1))} … ${show(at(0.9))}]`;
}
