import { beforeAll, describe, expect, it } from "vitest";
import {
  createCore,
  createFrontEnd,
  type FrontEndDescription,
  type FrontEndOptions,
  InvalidArgumentError,
  NonFiniteSamplesError,
  PRESETS,
  type PresetName,
} from "../../src/index.ts";
import { kaldiFilters } from "../reference/mel-filters.ts";
import { whiteNoise } from "../reference/signals.ts";
import { firstDifference } from "./compare.ts";
import { createWorkbench, type Workbench } from "./workbench.ts";

const SEED = 111;
const KALDI: FrontEndDescription = PRESETS["kaldi-80"];
const FRAME = KALDI.frame!;
const MEL = KALDI.mel!;
const LOG = KALDI.log!;
const STACKING = { frames: 7, step: 6, left: 3 };
const RAW: FrontEndDescription = { name: "raw", sampleRate: 16000, layout: "frame-major" };
const CHUNKS: FrontEndDescription = PRESETS.silero;
const CMVN = { shift: new Float32Array(80), scale: new Float32Array(80) };

let bench: Workbench;

beforeAll(async () => {
  bench = await createWorkbench();
});

/** Changes to a description, and what the error says. */
const BAD: [change: object, message: RegExp][] = [
  [{ sampleRate: 0 }, /kaldi-80: sampleRate is 0; give an integer from 1 to 384000/],
  [{ sampleRate: 44100.5 }, /sampleRate is 44100\.5/],
  [{ sampleRate: 500000 }, /sampleRate is 500000/],
  [{ layout: "rows" }, /layout is "rows"; give mel-major, frame-major/],
  [{ scale: 0 }, /scale is 0; give a number from 0\.000001 to 1000000/],
  [{ scale: Number.NaN }, /scale is NaN/],
  [{ padTo: 0 }, /padTo is 0/],
  [
    { frame: { ...FRAME, fft: 511 } },
    /frame\.fft is 511; give 2\^a·3\^b·5\^c up to 8192, such as 500 or 512/,
  ],
  [{ frame: { ...FRAME, fft: 8193 } }, /frame\.fft is 8193; .* such as 8192/],
  [{ frame: { ...FRAME, fft: 1e9 } }, /frame\.fft is 1000000000; .* such as 8192/],
  [{ frame: { ...FRAME, fft: 0 } }, /frame\.fft is 0/],
  [{ frame: { ...FRAME, fft: Number.NaN } }, /frame\.fft is NaN/],
  [{ frame: { ...FRAME, length: 513 } }, /frame\.length is 513; give an integer from 1 to 512/],
  [{ frame: { ...FRAME, length: 0 } }, /frame\.length is 0/],
  [{ frame: { ...FRAME, hop: 0 } }, /frame\.hop is 0; give an integer from 1 to 512/],
  [{ frame: { ...FRAME, hop: 513 } }, /frame\.hop is 513; give an integer from 1 to 512/],
  [{ frame: { ...FRAME, window: "kaiser" } }, /frame\.window is "kaiser"; give rectangular, hann/],
  [{ frame: { ...FRAME, window: "toString" } }, /frame\.window is "toString"/],
  [{ frame: { ...FRAME, edges: "wrap" } }, /frame\.edges is "wrap"; give snip, reflect, zero, mirror/],
  [{ frame: { ...FRAME, left: 400 } }, /frame\.left is 400; give an integer from 0 to 399/],
  [{ frame: undefined }, /frame is undefined; give a frame shape where there are mels/],
  [{ dither: { amount: -1, seed: 0 } }, /dither\.amount is -1/],
  [{ dither: { amount: 1, seed: -1 } }, /dither\.seed is -1/],
  [{ preEmphasis: { coefficient: 2, over: "frame" } }, /preEmphasis\.coefficient is 2/],
  [{ preEmphasis: { coefficient: 0.97, over: "clip" } }, /preEmphasis\.over is "clip"/],
  [{ power: 3 }, /power is 3; give 1 for magnitudes or 2 for powers/],
  [{ mel: { ...MEL, count: 0 } }, /mel\.count is 0; give an integer from 1 to 1024/],
  [{ mel: { ...MEL, count: 1025 } }, /mel\.count is 1025/],
  [{ mel: { ...MEL, scale: "bark" } }, /mel\.scale is "bark"/],
  [{ mel: { ...MEL, triangles: "round" } }, /mel\.triangles is "round"/],
  [{ mel: { ...MEL, norm: "none " } }, /mel\.norm is "none "/],
  [{ mel: { ...MEL, high: 8001 } }, /mel\.high is 8001; give a number from 1 to 8000/],
  [{ mel: { ...MEL, high: Number.NaN } }, /mel\.high is NaN/],
  [{ mel: { ...MEL, low: 8000 } }, /mel\.low is 8000; give a number from 0 to below 8000/],
  [{ mel: { ...MEL, low: -1 } }, /mel\.low is -1/],
  [{ log: { ...LOG, floor: 0 } }, /log\.floor is 0/],
  [{ log: { ...LOG, factor: -1 } }, /log\.factor is -1/],
  [{ log: { ...LOG, factor: Number.POSITIVE_INFINITY } }, /log\.factor is Infinity/],
  [{ log: { ...LOG, offset: Number.NaN } }, /log\.offset is NaN/],
  [{ log: { ...LOG, guard: -1 } }, /log\.guard is -1/],
  [{ log: undefined, range: 8 }, /log is undefined; give a logarithm/],
  [{ energy: { place: "middle" } }, /energy\.place is "middle"/],
  [{ energy: { place: "last", floor: -1 } }, /energy\.floor is -1/],
  [{ energy: { place: "last" }, range: 8 }, /range is 8; give none with an energy/],
  [{ range: -1 }, /range is -1/],
  [{ cepstra: 81, layout: "mel-major" }, /cepstra is 81; give an integer from 1 to 80/],
  [{ cepstra: 13 }, /cepstra is 13; give none with/],
  [{ normalize: { kind: "max" } }, /normalize\.kind is "max"/],
  [{ normalize: { kind: "mean", degrees: 2 } }, /normalize\.degrees is 2/],
  [{ normalize: { kind: "mean", varianceGuard: -1 } }, /normalize\.varianceGuard is -1/],
  [{ stacking: { ...STACKING, frames: 65 } }, /stacking\.frames is 65/],
  [{ stacking: { ...STACKING, step: 8 } }, /stacking\.step is 8; give an integer from 1 to 7/],
  [{ stacking: { ...STACKING, left: 7 } }, /stacking\.left is 7/],
  [{ stacking: { ...STACKING, incomplete: "zero" } }, /stacking\.incomplete is "zero"/],
  [
    { stacking: STACKING, layout: "mel-major" },
    /layout is "mel-major"; give frame-major where frames are stacked/,
  ],
  [{ cmvn: { ...CMVN, shift: [0] } }, /cmvn\.shift is a Array; give a Float32Array/],
  [{ cmvn: { ...CMVN, scale: new Float32Array(79) } }, /cmvn\.scale is "79 values"; give 80, one a feature/],
  [{ cmvn: { ...CMVN, scale: CMVN.scale.map(() => Number.NaN) } }, /cmvn\.scale\[0\] is NaN/],
  [{ cmvn: CMVN, stacking: STACKING }, /cmvn\.shift is "80 values"; give 560/],
  [{ cmvn: CMVN, layout: "mel-major" }, /layout is "mel-major"; give frame-major for cmvn/],
];

/** What would be ignored, or read past its end, where frames are not transformed or there are none. */
const BARE: [description: object, message: RegExp][] = [
  [{ ...RAW, stacking: STACKING }, /raw: stacking is a Object; give none where there is no frame/],
  [{ ...RAW, padTo: 16000 }, /padTo is 16000; give none/],
  [{ ...RAW, removeDc: true }, /removeDc is true; give none/],
  [{ ...CHUNKS, cmvn: CMVN }, /silero: cmvn is a Object; give none where there is no mel/],
  [{ ...CHUNKS, scale: 32768 }, /scale is 32768; give none/],
  [{ ...CHUNKS, layout: "mel-major" }, /layout is "mel-major"; give frame-major where there is no mel/],
  [{ ...CHUNKS, frame: { ...CHUNKS.frame, window: "hann" } }, /frame\.window is "hann"; give rectangular/],
  [{ ...CHUNKS, frame: { ...CHUNKS.frame, fft: 2 ** 30, length: 2 ** 30 } }, /frame\.fft is 1073741824/],
];

describe("a description that cannot be", () => {
  const all = [...BAD.map(([change, message]) => [{ ...KALDI, ...change }, message] as const), ...BARE];

  it.each(all)("%o is refused", (preset, message) => {
    const free = bench.core.freeBytes();
    const make = () => createFrontEnd(bench.core, { preset: preset as FrontEndDescription });
    expect(make).toThrow(InvalidArgumentError);
    expect(make).toThrow(message);
    expect(bench.core.freeBytes()).toBe(free);
  });

  it.each([
    [undefined, /createFrontEnd: options are undefined/],
    [{}, /unknown preset undefined; give whisper-80/],
    [{ preset: null }, /unknown preset null/],
    [{ preset: "constructor" }, /unknown preset "constructor"/],
    [{ preset: "kaldi-80", nonFinite: "ignore" }, /nonFinite is "ignore"; give "error", "zero" or "pass"/],
    [{ preset: "kaldi-80", pad: true }, /pad is true, but kaldi-80 has no length to pad to/],
    [{ preset: "whisper-80", pad: 1 }, /pad is 1; give true or false/],
    [{ preset: { ...KALDI, padTo: 399 } }, /padTo is 399, which makes no frame/],
  ])("options %o are refused", (options, message) => {
    const make = () => createFrontEnd(bench.core, options as FrontEndOptions);
    expect(make).toThrow(InvalidArgumentError);
    expect(make).toThrow(message);
  });
});

describe("filters that hold no bin", () => {
  const preset = { ...KALDI, mel: { ...MEL, count: 160 } };
  const bank = kaldiFilters({ sampleFrequency: 16000, nFft: 512, numMelBins: 160, lowFreq: 20, highFreq: 0 });
  const empty = bank.flatMap((weights, m) => (weights.every((x) => x === 0) ? [m] : []));

  it("are named in a warning, once a core", async () => {
    const core = await createCore();
    const messages: string[] = [];
    const onWarning = (message: string) => messages.push(message);
    createFrontEnd(core, { preset, onWarning });
    createFrontEnd(core, { preset, onWarning });
    expect(empty.length).toBe(3);
    expect(messages).toEqual([
      `wavepool: kaldi-80: ${empty.length} of 160 mel filters hold no bin of 512 points and are always silent (${empty.join(", ")}); ask for fewer mels or a larger transform`,
    ]);
    createFrontEnd(core, { preset: "kaldi-80", onWarning });
    expect(messages.length).toBe(1);
    core.leave();
    const other = await createCore();
    createFrontEnd(other, { preset, onWarning });
    expect(messages.length).toBe(2);
    other.leave();
  });

  it("give the floor, and no other does", () => {
    const features = bench.compute({ preset, onWarning: () => {} }, whiteNoise(400, SEED));
    const floor = Math.fround(Math.log(2 ** -23));
    const found = [...features].flatMap((x, m) => (x === floor ? [m] : []));
    expect(found).toEqual(empty);
  });
});

describe.each(Object.keys(PRESETS) as PresetName[])("views given to %s", (preset) => {
  const samples = whiteNoise(4000, SEED);
  const compute = (...given: unknown[]) => {
    const [source, out, count] = given as [Float32Array, Float32Array, number | undefined];
    return () => bench.frontEnd({ preset }).compute(source, out, count);
  };

  it("that do not fit are refused with what would", () => {
    using out = bench.features.acquire();
    const { view } = out;
    const made = bench.frontEnd({ preset });
    const [rows, columns] = made.shape(4000);
    const bad: [unknown[], RegExp][] = [
      [[undefined, view], /samples are undefined; give a Float32Array/],
      [[new Float64Array(4000), view], /samples are a Float64Array; give a Float32Array/],
      [[new Int16Array(4000), view], /samples are a Int16Array/],
      [[samples, view, 0], /0 samples of 4000; give 1 to/],
      [[samples, view, -1], /-1 samples of 4000/],
      [[samples, view, 4001], /4001 samples of 4000/],
      [[samples, view, 3.5], /3\.5 samples of 4000/],
      [[samples, view, Number.NaN], /NaN samples of 4000/],
      [[samples, undefined], /out is undefined; give a Float32Array view/],
      [[samples, new Float32Array(rows * columns)], /out is a view of another memory/],
      [[samples, new Float64Array(bench.core.buffer, view.byteOffset, 4)], /out is a Float64Array/],
      [
        [samples, view.subarray(0, rows * columns - 1)],
        new RegExp(`out holds ${rows * columns - 1} values; ${rows} × ${columns} need ${rows * columns}`),
      ],
      [[view.subarray(1), view, 4000], /samples and out overlap at byte \d+; lease two buffers/],
    ];
    view.fill(7);
    for (const [given, message] of bad) {
      expect(compute(...given), String(message)).toThrow(InvalidArgumentError);
      expect(compute(...given), String(message)).toThrow(message);
    }
    expect(view.every((x) => x === 7)).toBe(true);
  });

  it("that hold NaN or infinity: refused, zeroed, or passed to the frames over them", () => {
    const broken = samples.slice();
    broken[2100] = Number.NaN;
    broken[2101] = Number.POSITIVE_INFINITY;
    broken[3999] = Number.NEGATIVE_INFINITY;
    expect(() => bench.compute({ preset }, broken)).toThrow(NonFiniteSamplesError);
    expect(() => bench.compute({ preset }, broken)).toThrow(
      /3 of 4000 samples are NaN or infinite, the first at index 2100/,
    );
    const zeroed = broken.map((x) => (Number.isFinite(x) ? x : 0));
    const zero = createFrontEnd(bench.core, { preset, nonFinite: "zero" });
    using source = bench.audio.acquire();
    using out = bench.features.acquire();
    source.view.set(broken);
    const vectors = zero.compute(source.view, out.view, 4000);
    const expected = bench.compute({ preset }, zeroed);
    expect(firstDifference(out.view.slice(0, vectors * zero.features), expected)).toBe(-1);
    expect(zero.nonFiniteSamples).toBe(3);
    expect(source.view[2100]).toBeNaN(); // the caller's samples stay as they are
    const pass = createFrontEnd(bench.core, { preset, nonFinite: "pass" });
    pass.compute(source.view, out.view, 4000);
    expect(pass.nonFiniteSamples).toBe(3);
    const passed = out.view.subarray(0, vectors * pass.features);
    expect(passed.some((x) => Number.isNaN(x))).toBe(true);
    expect(passed.some((x) => !Number.isNaN(x))).toBe(true);
    // Samples as they are stay what they are; frames that are computed are all NaN or all finite.
    const infinite = passed.filter((x) => Math.abs(x) === Number.POSITIVE_INFINITY).length;
    expect(infinite).toBe(PRESETS[preset].layout === "frame-major" && !("mel" in PRESETS[preset]) ? 2 : 0);
  });
});

it("samples between frames count as well", () => {
  const preset: FrontEndDescription = { ...KALDI, frame: { ...FRAME, length: 100, hop: 500 } };
  const samples = whiteNoise(4000, SEED);
  samples[620] = Number.NaN;
  expect(() => bench.compute({ preset }, samples)).toThrow(/1 of 4000 samples/);
});
