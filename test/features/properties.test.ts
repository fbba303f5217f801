import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  CoreMemoryError,
  createBufferPool,
  createCore,
  createFrontEnd,
  type FrontEndDescription,
  InvalidArgumentError,
  PRESETS,
  type PresetName,
} from "../../src/index.ts";
import { smoothNumbers } from "../reference/dft.ts";
import { whiteNoise } from "../reference/signals.ts";
import { firstDifference } from "./compare.ts";
import { firstWrite, under, workspaces } from "./untouched.ts";
import { createWorkbench, type Workbench } from "./workbench.ts";

const SEED = 151;
const RUNS = 150;
const SIZES = smoothNumbers(1500).filter((size) => size >= 16);

const frame = fc.constantFrom(...SIZES).chain((fft) =>
  fc.integer({ min: 1, max: fft }).chain((length) =>
    fc.record(
      {
        length: fc.constant(length),
        fft: fc.constant(fft),
        hop: fc.integer({ min: 1, max: fft }),
        window: fc.constantFrom(
          "rectangular",
          "hann",
          "hann-periodic",
          "hamming",
          "povey",
          "blackman-periodic",
        ),
        edges: fc.constantFrom("snip", "reflect", "zero", "mirror"),
        left: fc.integer({ min: 0, max: length - 1 }),
        dropLast: fc.boolean(),
      },
      { requiredKeys: ["length", "fft", "hop", "window", "edges"] },
    ),
  ),
);

const normalize = fc.record(
  {
    kind: fc.constantFrom("mean", "mean-and-deviation"),
    degrees: fc.constantFrom(0, 1),
    varianceGuard: fc.constantFrom(0, 1e-7),
    deviationGuard: fc.constantFrom(0, 1e-5),
  },
  { requiredKeys: ["kind"] },
);

const stacking = fc.integer({ min: 1, max: 9 }).chain((frames) =>
  fc.record({
    frames: fc.constant(frames),
    step: fc.integer({ min: 1, max: frames }),
    left: fc.integer({ min: 0, max: frames - 1 }),
    incomplete: fc.constantFrom("repeat", "drop"),
  }),
);

/** Descriptions that can be: the parts that exclude each other are taken out again. */
const description = fc
  .record(
    {
      name: fc.constant("random"),
      sampleRate: fc.integer({ min: 2, max: 48000 }),
      scale: fc.constantFrom(1, 0.5, 32768),
      frame,
      dither: fc.record({ amount: fc.constantFrom(0, 0.5, 2), seed: fc.nat() }),
      removeDc: fc.boolean(),
      preEmphasis: fc.record({
        coefficient: fc.constantFrom(0, 0.5, 0.97, 1),
        over: fc.constantFrom("signal", "frame"),
      }),
      power: fc.constantFrom(1, 2),
      mel: fc.record({
        count: fc.integer({ min: 1, max: 50 }),
        scale: fc.constantFrom("slaney", "htk"),
        triangles: fc.constantFrom("hz", "mel", "symmetric"),
        norm: fc.constantFrom("slaney", "none"),
        low: fc.constantFrom(0, 0.25, 0.7),
        high: fc.constant(0),
      }),
      log: fc.record({
        factor: fc.constantFrom(1, 10 * Math.LOG10E),
        offset: fc.constantFrom(0, -3),
        floor: fc.constantFrom(2 ** -23, 2 ** -40),
        guard: fc.constantFrom(0, 2 ** -24),
      }),
      energy: fc.record({
        place: fc.constantFrom("first", "last"),
        raw: fc.boolean(),
        floor: fc.constantFrom(0, 1),
      }),
      range: fc.constantFrom(0, 8, 80),
      cepstra: fc.integer({ min: 1, max: 13 }),
      normalize,
      stacking,
      layout: fc.constantFrom("mel-major", "frame-major"),
      padTo: fc.constantFrom(2500, 4000),
    },
    { requiredKeys: ["name", "sampleRate", "frame", "mel", "layout"] },
  )
  .map((given) => {
    const made = { ...given } as { -readonly [K in keyof FrontEndDescription]: FrontEndDescription[K] };
    if (!made.log) for (const key of ["energy", "range"] as const) delete made[key];
    if (made.energy) delete made.range;
    if (made.layout === "mel-major") delete made.stacking;
    else delete made.cepstra;
    if (made.energy) delete made.cepstra;
    if (made.cepstra) made.cepstra = Math.min(made.cepstra, made.mel!.count);
    // Padding has to make a whole frame, and a whole vector.
    if (made.stacking || made.frame!.edges === "mirror") delete made.padTo;
    return made as FrontEndDescription;
  });

/** One value of a description set to what it cannot be. */
const spoilt = fc
  .tuple(
    description,
    fc.constantFrom(
      ["sampleRate"],
      ["scale"],
      ["layout"],
      ["padTo"],
      ["frame", "fft"],
      ["frame", "length"],
      ["frame", "hop"],
      ["frame", "window"],
      ["frame", "edges"],
      ["frame", "left"],
      ["mel", "count"],
      ["mel", "scale"],
      ["mel", "triangles"],
      ["mel", "norm"],
      ["mel", "low"],
      ["mel", "high"],
      ["log", "floor"],
      ["log", "factor"],
      ["power"],
      ["range"],
      ["dither", "amount"],
      ["dither", "seed"],
      ["preEmphasis", "coefficient"],
      ["normalize", "kind"],
      ["stacking", "step"],
      ["cepstra"],
      ["energy", "place"],
    ),
    fc.constantFrom<unknown>(-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, "nonsense", null, {}, []),
  )
  .map(([given, [part, key], value]) => {
    const known = given as unknown as Record<string, object>;
    if (key === undefined) return { ...known, [part!]: value };
    return { ...known, [part!]: { ...known[part!], [key]: value } };
  })
  // Null says "nothing" to an optional part, and a range may be as wide as one likes: no mistakes.
  .filter((made) =>
    Object.entries(made).every(([key, x]) => x !== null && !(key === "range" && x === 2 ** 53)),
  );

const parameters = { numRuns: RUNS, seed: SEED };

describe(`random descriptions (seed ${SEED})`, () => {
  it("that can be give finite features, write nothing else, and stream the same bits", async () => {
    await fc.assert(
      fc.asyncProperty(
        description,
        fc.integer({ min: 1, max: 2500 }),
        fc.integer({ min: 1, max: 700 }),
        async (preset, length, block) => {
          const core = await createCore({ memoryBytes: 2 ** 23, threads: false });
          const pool = createBufferPool(core, {
            name: "floats",
            dtype: "f32",
            shape: 500000,
            initial: 2,
            max: 2,
          });
          using clip = pool.acquire();
          using result = pool.acquire();
          const made = createFrontEnd(core, { preset, onWarning: () => {} });
          const values = made.features * made.frames(length);
          if (values > 500000) return;
          const samples = clip.view.subarray(1, 1 + length);
          samples.set(whiteNoise(length, SEED + length));
          using stream = made.stream({ frames: 200 });
          for (let at = 0; at < length; at += block)
            stream.push(samples.subarray(at, Math.min(length, at + block)));
          stream.flush();
          if (values === 0) {
            expect(stream.frames).toBe(0);
            return;
          }
          const out = result.view.subarray(3, 3 + values);
          made.compute(samples, out);
          const compute = () => made.compute(samples, out);
          expect(firstWrite(core, [...workspaces(core, preset), under(out)], compute)).toBeUndefined();
          expect(out.findIndex((x) => !Number.isFinite(x))).toBe(-1);
          if (stream.firstFrame > 0) return;
          const whole = out.slice();
          expect(stream.read(out)).toBe(made.frames(length));
          expect(firstDifference(out.slice(), whole)).toBe(-1);
        },
      ),
      parameters,
    );
  });

  it("that cannot be are refused and take no memory", async () => {
    const core = await createCore({ memoryBytes: 2 ** 20, threads: false });
    fc.assert(
      fc.property(spoilt, (preset) => {
        const free = core.freeBytes();
        expect(() => createFrontEnd(core, { preset: preset as unknown as FrontEndDescription })).toThrow(
          InvalidArgumentError,
        );
        expect(core.freeBytes()).toBe(free);
      }),
      { ...parameters, numRuns: 400 },
    );
  });
});

describe(`features (seed ${SEED})`, () => {
  let bench: Workbench;

  beforeAll(async () => {
    bench = await createWorkbench();
  });

  it("of samples twice as loud are 2 ln 2 higher, but for the floor", () => {
    const samples = whiteNoise(4000, SEED).map((x) => x / 4);
    for (const name of ["kaldi-23", "kaldi-80"] as const) {
      const one = bench.compute({ preset: name }, samples);
      const two = bench.compute(
        { preset: name },
        samples.map((x) => x * 2),
      );
      // Powers are exactly four times as large; the rest is the logarithm's rounding.
      for (const [i, x] of two.entries()) expect(Math.abs(x - one[i]! - 2 * Math.LN2)).toBeLessThan(4e-6);
    }
    const mels = bench.compute({ preset: "librosa" }, samples);
    const louder = bench.compute(
      { preset: "librosa" },
      samples.map((x) => x * 2),
    );
    expect(
      firstDifference(
        louder,
        mels.map((x) => x * 4),
      ),
    ).toBe(-1);
    const scaled = bench.compute({ preset: { ...PRESETS.librosa, scale: 2 } }, samples);
    expect(firstDifference(scaled, louder)).toBe(-1);
  });

  it.each(["kaldi-80", "ecapa", "nemo-80", "librosa", "silero"] as const)(
    "of %s move by a frame when the clip moves by a hop",
    (name) => {
      const { normalize: _n, range: _r, ...preset } = PRESETS[name] as FrontEndDescription;
      const { hop } = preset.frame!;
      const samples = whiteNoise(hop * 24, SEED);
      const made = bench.frontEnd({ preset });
      const rows = (clip: Float32Array) => {
        const features = bench.compute({ preset }, clip);
        const frames = made.frames(clip.length);
        const at =
          preset.layout === "frame-major"
            ? (t: number, m: number) => t * made.features + m
            : (t: number, m: number) => m * frames + t;
        return Array.from({ length: frames }, (_, t) =>
          Float32Array.from({ length: made.features }, (_x, m) => features[at(t, m)]!),
        );
      };
      const whole = rows(samples);
      const later = rows(samples.subarray(hop));
      // Frames that touch neither beginning nor end; the block they fall in is another.
      const inside = Math.ceil(preset.frame!.fft / hop) + 1;
      for (let t = inside; t < later.length - inside; t++)
        expect(firstDifference(later[t]!, whole[t + 1]!), `frame ${t}`).toBe(-1);
      expect(later.length - 2 * inside).toBeGreaterThan(5);
    },
  );
});

describe("memory", () => {
  it.each(Object.keys(PRESETS) as PresetName[])(
    "%s is taken once for equal descriptions, whatever their names",
    async (name) => {
      const core = await createCore();
      createFrontEnd(core, { preset: name });
      const free = core.freeBytes();
      createFrontEnd(core, { preset: { ...PRESETS[name] } });
      createFrontEnd(core, { preset: { ...PRESETS[name], name: "another" }, nonFinite: "pass" });
      expect(core.freeBytes()).toBe(free);
      createFrontEnd(core, { preset: { ...PRESETS["kaldi-23"], scale: 3 } });
      expect(core.freeBytes()).toBeLessThan(free);
      core.leave();
    },
  );

  /** A core with no more than `room` bytes free. */
  async function coreWith(room: number) {
    const core = await createCore({ memoryBytes: 512 * 1024, threads: false });
    const bytes = core.freeBytes() - room - 8192;
    if (bytes > 0) createBufferPool(core, { name: "filler", dtype: "u8", shape: bytes, initial: 1, max: 1 });
    return core;
  }

  it("that is too small for a front end is reported with the bytes, and nothing is lost", async () => {
    const cmvn = { shift: new Float32Array(560), scale: new Float32Array(560) };
    const presets: FrontEndDescription[] = [
      PRESETS["kaldi-80"],
      PRESETS["librosa-mfcc"],
      { ...PRESETS.sensevoice, cmvn },
      PRESETS.silero,
    ];
    for (const preset of presets) {
      let [refused, made] = [0, 0];
      // At each size another of the regions that it takes is the one that does not fit.
      for (let room = 0; room < 350_000; room += 7000) {
        const core = await coreWith(room);
        const free = core.freeBytes();
        try {
          createFrontEnd(core, { preset });
          made++;
        } catch (error) {
          refused++;
          expect(error).toBeInstanceOf(CoreMemoryError);
          expect(String(error)).toMatch(/ needs \d+ bytes, but only \d+ of the core's 524288 are free/);
          expect(core.freeBytes(), `${preset.name}, ${room} bytes`).toBe(free);
        }
        core.leave();
      }
      expect(made, preset.name).toBeGreaterThan(0);
      if (preset.name !== "silero") expect(refused, preset.name).toBeGreaterThan(3);
    }
  });

  it("that is too small for Whisper keeps the table that all its front ends share, once", async () => {
    const core = await coreWith(12_000);
    const make = () => createFrontEnd(core, { preset: "whisper-80" });
    expect(make).toThrow(CoreMemoryError);
    const free = core.freeBytes();
    for (let i = 0; i < 10; i++) expect(make).toThrow(CoreMemoryError);
    expect(core.freeBytes()).toBe(free);
    core.leave();
  });

  it("that is too small for a clip is reported, and the next one is computed", async () => {
    const core = await createCore({ memoryBytes: 2 ** 20, threads: false });
    const made = createFrontEnd(core, { preset: "kaldi-23" });
    const pool = createBufferPool(core, { name: "out", dtype: "f32", shape: 60_000, initial: 1, max: 1 });
    using out = pool.acquire();
    const free = core.freeBytes();
    const long = () => made.compute(new Float32Array(250_000), out.view);
    expect(long).toThrow(CoreMemoryError);
    expect(long).toThrow(/staging of samples needs 1000000 bytes, but only \d+/);
    expect(core.freeBytes()).toBe(free);
    expect(made.compute(whiteNoise(4000, SEED), out.view)).toBe(23);
  });

  it("asked for beyond 32 bits is refused, not wrapped around", async () => {
    const core = await createCore({ threads: false });
    const preset: FrontEndDescription = {
      ...PRESETS["librosa-mfcc"],
      frame: { length: 16, hop: 1, fft: 4096, window: "hann", edges: "zero" },
      mel: { ...PRESETS.librosa.mel, count: 1024 },
      cepstra: 1,
    };
    const made = createFrontEnd(core, { preset, onWarning: () => {} });
    const pool = createBufferPool(core, {
      name: "clips",
      dtype: "f32",
      shape: 2 ** 20 + 9,
      initial: 2,
      max: 2,
    });
    using clip = pool.acquire();
    using out = pool.acquire();
    clip.view.fill(0);
    const free = core.freeBytes();
    expect(() => made.compute(clip.view, out.view, 2 ** 20)).toThrow(
      /frames to rearrange needs 4294971392 bytes/,
    );
    expect(core.freeBytes()).toBe(free);
  });
});
