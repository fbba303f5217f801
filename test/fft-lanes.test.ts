import { beforeAll, describe, expect, it } from "vitest";
import { type Core, takeRegion } from "../src/core/core.ts";
import { createCore } from "../src/index.ts";
import { KERNEL_BUILDS } from "./reference/builds.ts";
import { dft, rms, type Spectrum, smoothNumbers } from "./reference/dft.ts";
import { whiteNoise } from "./reference/signals.ts";

const SEED = 5;
/** Every size to 512, then powers and mixtures up to the largest. */
const SIZES = [
  ...smoothNumbers(512),
  ...[625, 729, 1000, 1024, 1250, 1536, 2000, 2048, 2187, 3125, 4096, 4374, 6561, 8000, 8100, 8192],
];
/** Greatest error of a bin, in units of the spectrum's root mean square: see fft.test.ts. */
const LIMIT = 8e-7;

const references = new Map<string, Spectrum[]>();

/** Spectra of the four lanes, made once for all builds: lane l holds the noise of lane 0 advanced by l samples. */
function reference(n: number, real: boolean): Spectrum[] {
  const key = `${n} ${real}`;
  const known = references.get(key) ?? advanced(n, real);
  references.set(key, known);
  return known;
}

function advanced(n: number, real: boolean): Spectrum[] {
  const first = dft(whiteNoise(n, SEED), real ? new Float32Array(n) : whiteNoise(n, -SEED));
  return [0, 1, 2, 3].map((lane) => {
    const spectrum = { re: new Float64Array(n), im: new Float64Array(n) };
    for (let k = 0; k < n; k++) {
      const turn = (2 * Math.PI * ((k * lane) % n)) / n;
      const [cosine, sine] = [Math.cos(turn), Math.sin(turn)];
      spectrum.re[k] = first.re[k]! * cosine - first.im[k]! * sine;
      spectrum.im[k] = first.re[k]! * sine + first.im[k]! * cosine;
    }
    return spectrum;
  });
}

/** Greatest error of all bins of four lanes in units of the root mean square, of a result [bins][re, im][lanes]. */
function worstError(n: number, real: boolean, result: Float32Array): number {
  const expected = reference(n, real);
  let worst = 0;
  for (const [lane, { re, im }] of expected.entries()) {
    for (let k = 0; k < (real ? Math.floor(n / 2) + 1 : n); k++) {
      const a = result[8 * k + lane]! - re[k]!;
      const b = result[8 * k + 4 + lane]! - im[k]!;
      const error = Math.sqrt(a * a + b * b);
      if (!(error <= worst)) worst = error;
    }
  }
  return worst / rms(expected[0]!);
}

describe.each(KERNEL_BUILDS)(`four transforms in lanes, $build (seed ${SEED})`, ({ threads, relaxed }) => {
  let core: Core;
  let a: number;
  let b: number;
  let power: number;
  let table: number;
  let memory: Float32Array;

  beforeAll(async () => {
    core = await createCore({ threads, relaxed });
    const { exports } = core;
    a = takeRegion(core, 8192 * 32, "elements");
    b = takeRegion(core, 8192 * 32, "elements");
    power = takeRegion(core, 8192 * 16, "powers");
    table = takeRegion(core, Math.max(exports.fftTableBytes(8192), exports.realFftTableBytes(6561)), "table");
    memory = new Float32Array(core.buffer as ArrayBuffer);
  });

  function fillComplex(n: number): void {
    const re = whiteNoise(n, SEED);
    const im = whiteNoise(n, -SEED);
    for (let i = 0; i < n; i++) {
      for (let lane = 0; lane < 4; lane++) {
        memory[a / 4 + 8 * i + lane] = re[(i + lane) % n]!;
        memory[a / 4 + 8 * i + 4 + lane] = im[(i + lane) % n]!;
      }
    }
  }

  function fillReal(n: number): void {
    const x = whiteNoise(n, SEED);
    for (let i = 0; i < n; i++) {
      for (let lane = 0; lane < 4; lane++) memory[a / 4 + 4 * i + lane] = x[(i + lane) % n]!;
    }
  }

  it("has a table for 2^a 3^b 5^c up to 8192 and nothing else", () => {
    const supported = new Set(smoothNumbers(8192));
    const wrong: string[] = [];
    for (let n = 0; n < 17_000; n++) {
      if (core.exports.fftTableBytes(n) > 0 !== supported.has(n)) wrong.push(`${n}`);
      if (core.exports.realFftTableBytes(n) > 0 !== supported.has(n)) wrong.push(`real ${n}`);
    }
    expect(wrong).toEqual([]);
  });

  it.each(SIZES)("transforms %i complex points", (n) => {
    core.exports.fftTableBuild(n, table);
    fillComplex(n);
    const result = core.exports.fourTransforms(table, a, b);
    expect(worstError(n, false, memory.subarray(result / 4))).toBeLessThanOrEqual(LIMIT);
  });

  it.each(SIZES)("transforms %i real samples", (n) => {
    core.exports.realFftTableBuild(n, table);
    fillReal(n);
    const result = core.exports.fourRealTransforms(table, a, b);
    expect(worstError(n, true, memory.subarray(result / 4))).toBeLessThanOrEqual(LIMIT);
  });

  it.each(SIZES)("gives the powers of %i real samples, within their places", (n) => {
    core.exports.realFftTableBuild(n, table);
    const bytes = core.exports.realFftBufferBytes(n);
    memory.fill(7, a / 4, a / 4 + 8 * 8192);
    memory.fill(7, b / 4, b / 4 + 8 * 8192);
    memory.fill(7, power / 4, power / 4 + 4 * 8192);
    fillReal(n);
    core.exports.fourRealPowers(table, a, b, power);
    for (const end of [a + bytes, b + bytes]) expect(memory[end / 4]).toBe(7);
    expect(memory[power / 4 + 4 * (Math.floor(n / 2) + 1)]).toBe(7);
    const expected = reference(n, true)[0]!;
    const unit = rms(expected);
    let worst = 0;
    for (let k = 0; k <= n / 2; k++) {
      const magnitude = Math.hypot(expected.re[k]!, expected.im[k]!);
      for (let lane = 0; lane < 4; lane++) {
        const error = Math.abs(Math.sqrt(memory[power / 4 + 4 * k + lane]!) - magnitude);
        if (!(error <= worst)) worst = error;
      }
    }
    expect(worst / unit).toBeLessThanOrEqual(LIMIT);
  });
});
