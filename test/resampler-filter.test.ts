import { beforeAll, describe, expect, it } from "vitest";
import {
  type Core,
  createCore,
  createResampler,
  type Resampler,
  type ResamplerQuality,
} from "../src/index.ts";
import { fitTone, level, referenceResample } from "./reference/resample.ts";
import { seededNoise, whiteNoise } from "./reference/signals.ts";

const RATES = [8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000, 192000];
const PAIRS = RATES.flatMap((from) => RATES.filter((to) => to !== from).map((to) => [from, to] as const));
/** Rates with so few common factors that their filters are interpolated. */
const ODD_PAIRS = [
  [44099, 16000],
  [16000, 44101],
  [47999, 48000],
  [383999, 1000],
  [1000, 383999],
] as const;

/**
 * What is promised of each quality: the pass band in parts of the lower Nyquist frequency, its ripple and the
 * stop band, in decibels. The worst measured here: high 0.0011 and 100.5, medium 0.0015 and 83.1, low 0.0047
 * and 66.3.
 */
const PROMISES: Record<ResamplerQuality, { pass: number; ripple: number; stop: number }> = {
  high: { pass: 0.9, ripple: 0.01, stop: 100 },
  medium: { pass: 0.84, ripple: 0.01, stop: 80 },
  low: { pass: 0.74, ripple: 0.01, stop: 60 },
};
/** Outputs that a tone is judged by. */
const LENGTH = 600;
const SEED = 11;

let core: Core;

beforeAll(async () => {
  core = await createCore();
});

/** Steady-state outputs for a tone of amplitude 1, and the number of the first. */
function toneThrough(resampler: Resampler, hz: number): { out: Float32Array; first: number } {
  const { from, to, taps } = resampler;
  const first = Math.ceil((taps * to) / from) + 2;
  const length = Math.ceil(((LENGTH + 2 * first) * from) / to);
  const input = new Float32Array(length);
  for (let i = 0; i < length; i++) input[i] = Math.sin(2 * Math.PI * (((i * hz) % from) / from));
  resampler.reset();
  const out = new Float32Array(resampler.nextLength(length));
  resampler.process(input, out);
  return { out: out.subarray(first, first + LENGTH), first };
}

/** `count` whole frequencies from `low` to `high`, both ends among them. */
function sweep(low: number, high: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.round(low + ((high - low) * i) / (count - 1)));
}

/** Holds a resampler to its promise at `steps` tones in each of its bands. */
function judge(resampler: Resampler, steps: number): void {
  const { from, to, quality } = resampler;
  const { pass, ripple, stop } = PROMISES[quality];
  const nyquist = Math.min(from, to) / 2;
  for (const hz of sweep(nyquist / 100, pass * nyquist, steps)) {
    const { out, first } = toneThrough(resampler, hz);
    const { gain, lag, rest } = fitTone(out, hz, to, first);
    const message = `${from} → ${to} Hz, ${quality}, ${hz} Hz`;
    expect(Math.abs(gain), `gain: ${message}`).toBeLessThanOrEqual(ripple);
    expect(Math.abs(lag), `delay in turns: ${message}`).toBeLessThanOrEqual(10 ** (-stop / 20));
    // All else: images, aliases, interpolation, rounding.
    expect(rest, `rest: ${message}`).toBeLessThanOrEqual(-stop);
  }
  const upper = from / 2;
  if (from < to) {
    // In the transition band a tone may weaken, but its images lie in the stop band.
    for (const hz of sweep(pass * nyquist, nyquist - 1, steps)) {
      const { out, first } = toneThrough(resampler, hz);
      const { rest } = fitTone(out, hz, to, first);
      expect(rest, `images: ${from} → ${to} Hz, ${quality}, ${hz} Hz`).toBeLessThanOrEqual(-stop);
    }
  } else {
    const edge = sweep(nyquist, Math.min(1.1 * nyquist, upper), steps);
    for (const hz of [...edge, ...sweep(nyquist, upper, steps)]) {
      const { out } = toneThrough(resampler, hz);
      expect(level(out), `aliases: ${from} → ${to} Hz, ${quality}, ${hz} Hz`).toBeLessThanOrEqual(-stop);
    }
  }
}

describe("the resampler's filters, swept by tones", () => {
  it.each(RATES)("keep the promise of high quality from %i Hz to each of the other rates", (from) => {
    for (const to of RATES.filter((rate) => rate !== from)) {
      using resampler = createResampler(core, { from, to });
      judge(resampler, 16);
    }
  });

  it.each(["low", "medium"] as const)("keep the promise of %s quality from each rate to each", (quality) => {
    for (const [from, to] of PAIRS) {
      using resampler = createResampler(core, { from, to, quality });
      judge(resampler, 8);
    }
  });

  it.each([
    [48000, 16000],
    [44100, 16000],
    [16000, 48000],
    [44100, 48000],
  ])("keep it at 400 tones in each band from %i to %i Hz", (from, to) => {
    using resampler = createResampler(core, { from, to });
    judge(resampler, 400);
  });

  it.each(ODD_PAIRS)("keep it where they are interpolated, from %i to %i Hz", (from, to) => {
    for (const quality of ["low", "medium", "high"] as const) {
      using resampler = createResampler(core, { from, to, quality });
      judge(resampler, 12);
    }
  });

  it("stop a linear sweep from the new Nyquist frequency to the old as a whole", () => {
    // 8 to 24 kHz in three seconds at 48 kHz, its ends faded, for an end is heard at all frequencies.
    const length = 144_000;
    const input = Float32Array.from({ length }, (_, i) => {
      const t = i / 48000;
      const fade = Math.sin(Math.PI * Math.min(1, i / 20000, (length - i) / 20000) * 0.5) ** 2;
      return fade * Math.sin(2 * Math.PI * (8100 * t + (15800 / 6) * t * t));
    });
    using resampler = createResampler(core, { from: 48000, to: 16000 });
    const out = new Float32Array(resampler.nextLength(length));
    resampler.process(input, out);
    expect(level(out)).toBeLessThanOrEqual(-100);
    expect(20 * Math.log10(out.reduce((most, x) => Math.max(most, Math.abs(x)), 0))).toBeLessThanOrEqual(-95);
  });
});

describe(`the resampler beside its definition in float64 (seed ${SEED})`, () => {
  it.each([...PAIRS, ...ODD_PAIRS])("is right on noise from %i to %i Hz, edges and all", (from, to) => {
    const input = whiteNoise(Math.max(3, Math.ceil((120 * from) / Math.max(from, to))), SEED);
    using resampler = createResampler(core, { from, to });
    const out = new Float32Array(resampler.outputLength(input.length));
    const written = resampler.process(input, out);
    resampler.flush(out.subarray(written));
    const expected = referenceResample(input, from, to);
    // Interpolated filters are off by -110 dB at most, the others by rounding only.
    const limit = ODD_PAIRS.some((pair) => pair[0] === from && pair[1] === to) ? 10 ** (-110 / 20) : 1e-6;
    const wrong = expected.findIndex((x, i) => !(Math.abs(out[i]! - x) <= limit));
    expect(wrong, `seed ${SEED}, first output that is off by more than ${limit}`).toBe(-1);
  });

  it.each(["low", "medium"] as const)("is right in %s quality", (quality) => {
    const input = whiteNoise(2000, SEED);
    for (const [from, to] of [
      [48000, 16000],
      [44100, 16000],
      [16000, 22050],
    ] as const) {
      using resampler = createResampler(core, { from, to, quality });
      const out = new Float32Array(resampler.outputLength(input.length));
      resampler.flush(out.subarray(resampler.process(input, out)));
      const expected = referenceResample(input, from, to, quality);
      const worst = expected.reduce((most, x, i) => Math.max(most, Math.abs(x - out[i]!)), 0);
      expect(worst, `seed ${SEED}, ${from} → ${to} Hz`).toBeLessThanOrEqual(1e-6);
    }
  });

  it("passes a constant at its level, whichever the phase", () => {
    for (const [from, to] of [...PAIRS, ...ODD_PAIRS]) {
      using resampler = createResampler(core, { from, to });
      const length = Math.ceil(2.5 * resampler.taps);
      const out = new Float32Array(resampler.nextLength(length));
      resampler.process(new Float32Array(length).fill(1), out);
      const steady = out.subarray(Math.ceil((resampler.taps * to) / from));
      expect(steady.length).toBeGreaterThan(0);
      const wrong = steady.findIndex((x) => !(Math.abs(x - 1) <= 1e-6));
      expect(wrong, `${from} → ${to} Hz, first output that is off`).toBe(-1);
    }
  });

  it("puts an impulse where it belongs: symmetric about its own time", () => {
    using resampler = createResampler(core, { from: 16000, to: 48000 });
    const input = new Float32Array(400);
    input[200] = 1;
    const out = new Float32Array(1200);
    resampler.flush(out.subarray(resampler.process(input, out)));
    expect(out.indexOf(Math.max(...out))).toBe(600);
    for (let i = 1; i <= 192; i++) expect(out[600 + i], `${i} beside`).toBeCloseTo(out[600 - i]!, 7);
    expect(out.every((x, i) => Math.abs(i - 600) <= 192 || x === 0)).toBe(true);
  });

  it("is still exactly in time after a million outputs", () => {
    const next = seededNoise(SEED);
    for (const [from, to, hz] of [
      [44100, 48000, 9973],
      [44099, 16000, 4999],
    ] as const) {
      using resampler = createResampler(core, { from, to });
      let at = 0;
      let made = 0;
      const out = new Float32Array(50_000);
      let fit = { gain: 0, lag: 0, rest: 0 };
      while (made < 1_000_000) {
        const input = new Float32Array(1 + Math.floor((next() + 1) * 8000));
        for (let i = 0; i < input.length; i++) {
          input[i] = Math.sin(2 * Math.PI * ((((at + i) * hz) % from) / from));
        }
        const written = resampler.process(input, out);
        if (at > 1000 && written > 1000) fit = fitTone(out.subarray(0, written), hz, to, made);
        at += input.length;
        made += written;
      }
      expect(Math.abs(fit.lag), `seed ${SEED}, ${from} → ${to} Hz`).toBeLessThanOrEqual(1e-6);
      expect(fit.rest).toBeLessThanOrEqual(-100);
    }
  });
});
