import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AnalysisBuffer,
  type AnalysisBufferOptions,
  type AnalysisWindow,
  type Core,
  createAnalysisBuffer,
  createCore,
  InvalidArgumentError,
  LeaseError,
  openAnalysisBuffer,
  PoolClosedError,
  type SampleType,
} from "../../src/index.ts";
import { BUILDS } from "../reference/builds.ts";
import { modelCommand } from "../reference/model-command.ts";
import { runs } from "../reference/runs.ts";

interface RingParameters {
  dtype: SampleType;
  whenFull: "overwrite" | "reject";
  window: number;
  hop: number;
  maxWindow: number;
  minWindow: number;
  capacity: number;
  windows: number;
}

interface AnalysisModel extends RingParameters {
  /** Bytes of the source that were offered; sample i of the source is a function of i. */
  offered: number;
  /** The samples that the ring took, as they are to be read. */
  accepted: number[];
  /** Where the reader stands in them. */
  position: number;
  rejected: number;
  /** Samples skipped by the windows read so far. */
  skipped: number;
  read: number;
  held: { window: AnalysisWindow; expected: number[] }[];
  released: AnalysisWindow[];
  lastStart: number;
  exhausted: number;
}

interface AnalysisReal {
  reader: AnalysisBuffer;
  /** The same object, or one that another agent would have. */
  writer: AnalysisBuffer;
}

const SIZES = { f32: 4, i16: 2 };

/** Sample i of the source, as it is to be read: other samples have other values, over more than any run. */
function sample(dtype: SampleType, i: number): number {
  if (dtype === "i16") return (((i * 40_503) & 0xffff) - 0x8000) / 32_768;
  return ((i * 7_368_787) % 2 ** 24) / 2 ** 23 - 1;
}

function sourceSamples({ dtype }: AnalysisModel, first: number, count: number): Float32Array | Int16Array {
  const samples = Array.from({ length: count }, (_, i) => sample(dtype, first + i));
  if (dtype === "f32") return Float32Array.from(samples);
  return Int16Array.from(samples, (value) => value * 32_768);
}

/** Bytes of the source, at an odd place of their buffer. */
function sourceBytes(model: AnalysisModel, first: number, count: number): Uint8Array {
  const size = SIZES[model.dtype];
  const from = Math.floor(first / size);
  const samples = sourceSamples(model, from, Math.ceil((first + count) / size) - from);
  const bytes = new Uint8Array(count + 1).subarray(1);
  bytes.set(new Uint8Array(samples.buffer).subarray(first - from * size, first - from * size + count));
  return bytes;
}

/** Offers `count` samples to the model's ring at once: it takes all, or none. Returns how many. */
function accept(model: AnalysisModel, first: number, count: number): number {
  const unread = Math.max(0, model.accepted.length - model.position);
  if (model.whenFull === "reject" && unread + count > model.capacity) {
    model.rejected += count;
    return 0;
  }
  for (let i = 0; i < count; i++) model.accepted.push(sample(model.dtype, first + i));
  return count;
}

function write(model: AnalysisModel, { writer }: AnalysisReal, count: number): void {
  const first = model.offered / SIZES[model.dtype];
  const taken = accept(model, first, count);
  model.offered += count * SIZES[model.dtype];
  expect(writer.write(sourceSamples(model, first, count))).toBe(taken);
}

function writeBytes(model: AnalysisModel, { writer }: AnalysisReal, count: number): void {
  const size = SIZES[model.dtype];
  const bytes = sourceBytes(model, model.offered, count);
  const begun = Math.floor(model.offered / size);
  const cut = model.offered % size !== 0;
  model.offered += count;
  const complete = Math.floor(model.offered / size);
  let taken = 0;
  // The sample that the last chunk cut comes in on its own.
  if (cut && complete > begun) taken += accept(model, begun, 1);
  const whole = cut ? begun + 1 : begun;
  if (complete > whole) taken += accept(model, whole, complete - whole);
  expect(writer.writeBytes(bytes)).toBe(taken);
}

/** Where the next window starts: where the reader stands, or the oldest sample that is still there. */
function nextStart(model: Readonly<AnalysisModel>): number {
  const oldest = model.whenFull === "overwrite" ? model.accepted.length - model.capacity : 0;
  return Math.max(model.position, oldest);
}

function read(model: AnalysisModel, { reader }: AnalysisReal): boolean {
  const start = nextStart(model);
  const expected = model.accepted.slice(start, start + model.window);
  const ready = expected.length === model.window;
  const window = reader.read();
  if (!ready || model.held.length === model.windows) {
    if (ready) model.exhausted++;
    expect(window).toBeUndefined();
    return false;
  }
  expect(window).toMatchObject({ start });
  expect(start).toBeGreaterThan(model.lastStart);
  model.lastStart = start;
  model.skipped += start - model.position;
  model.position = start + model.hop;
  model.read++;
  model.held.push({ window: window!, expected });
  return true;
}

/** Reads into an array of the caller's, longer than any window, whose end stays as it was. */
function readInto(model: AnalysisModel, { reader }: AnalysisReal): void {
  const start = nextStart(model);
  const expected = model.accepted.slice(start, start + model.window);
  const target = new Float32Array(model.maxWindow + 1).fill(9);
  if (expected.length < model.window) {
    expect(reader.readInto(target)).toBe(0);
    expect(target.every((value) => value === 9)).toBe(true);
    return;
  }
  expect(() => reader.readInto(target.subarray(0, model.window - 1))).toThrow(InvalidArgumentError);
  expect(reader.readInto(target)).toBe(model.window);
  expect(reader.lastStart).toBe(start);
  expectSamples({ view: target.subarray(0, model.window), start }, expected);
  expect(target.at(-1)).toBe(9);
  model.lastStart = start;
  model.skipped += start - model.position;
  model.position = start + model.hop;
  model.read++;
}

/** Reads and releases all windows that are ready, which must be as many as `ready()` says. */
function drain(model: AnalysisModel, real: AnalysisReal): void {
  releaseAll(model);
  const ready = real.reader.ready();
  let count = 0;
  while (read(model, real)) {
    compare(model, real);
    releaseAll(model);
    count++;
  }
  expect(count).toBe(ready);
}

function release(model: AnalysisModel, which: number): void {
  const [{ window }] = model.held.splice(which % model.held.length, 1) as [AnalysisModel["held"][0]];
  window.release();
  model.released.push(window);
}

function releaseAll(model: AnalysisModel): void {
  while (model.held.length > 0) release(model, 0);
}

function reconfigure(
  model: AnalysisModel,
  { reader }: AnalysisReal,
  window: number,
  hop: number | undefined,
): void {
  const valid = Number.isInteger(window) && window >= 1 && window <= model.maxWindow;
  const shape = hop === undefined ? { window } : { window, hop };
  if (!valid || (hop !== undefined && !(hop >= 1 && Number.isInteger(hop)))) {
    expect(() => reader.reconfigure(shape)).toThrow(InvalidArgumentError);
    return;
  }
  reader.reconfigure(shape);
  model.window = window;
  model.hop = hop ?? window;
}

function scale(model: AnalysisModel, { reader }: AnalysisReal, factor: number): void {
  const scaled = Math.round(model.window * factor);
  const window = Math.min(model.maxWindow, Math.max(model.minWindow, scaled));
  expect(reader.scaleWindow(factor)).toBe(window !== model.window);
  model.hop = Math.max(1, Math.round((model.hop * window) / model.window));
  model.window = window;
}

function compare(model: AnalysisModel, { reader, writer }: AnalysisReal): void {
  const position = nextStart(model);
  const written = model.accepted.length;
  const expected = {
    name: "mic",
    sampleRate: 16_000,
    window: model.window,
    hop: model.hop,
    capacity: model.capacity,
    written,
    position,
    buffered: Math.max(0, written - position),
    rejected: model.rejected,
    overwritten: model.skipped + position - model.position,
    windows: model.read,
  };
  expect(reader.stats()).toEqual(expected);
  expect(writer.stats()).toEqual(expected);
  expect(reader.pool.stats()).toMatchObject({ inUse: model.held.length, exhausted: model.exhausted });
  for (const { window, expected } of model.held) expectSamples(window, expected);
  for (const window of model.released.slice(-3)) {
    expect(() => window.view).toThrow(LeaseError);
    expect(() => window.release()).toThrow(LeaseError);
  }
}

function expectSamples({ view, start }: Pick<AnalysisWindow, "view" | "start">, expected: number[]): void {
  expect(view.length).toBe(expected.length);
  const wrong = view.findIndex((value, i) => value !== expected[i]);
  const what = `window at ${start}: sample ${wrong} is ${view[wrong]}, not ${expected[wrong]}`;
  expect(wrong < 0 ? "as written" : what).toBe("as written");
}

type AnalysisCommand = fc.Command<AnalysisModel, AnalysisReal>;

const command = modelCommand<AnalysisModel, AnalysisReal>(compare);

const always = () => true;
const someHeld = ({ held }: Readonly<AnalysisModel>) => held.length > 0;
/** `write` begins a sample, so that it may not come between the halves of one. */
const atSample = ({ offered, dtype }: Readonly<AnalysisModel>) => offered % SIZES[dtype] === 0;

/** Rings hold up to 60 samples: some chunks are longer. */
const WRITE = fc.nat(40).map((n) => command(`write ${n}`, atSample, (m, r) => write(m, r, n)));
const WRITE_BYTES = fc.nat(130).map((n) => command(`writeBytes ${n}`, always, (m, r) => writeBytes(m, r, n)));
const READ = fc.constant(command("read", always, (m, r) => void read(m, r)));
const COMMANDS: fc.Arbitrary<AnalysisCommand>[] = [
  ...[WRITE, WRITE, WRITE_BYTES, WRITE_BYTES, READ, READ, READ, READ],
  fc.integer({ min: 40, max: 200 }).map((n) => command(`write ${n}`, atSample, (m, r) => write(m, r, n))),
  fc.constant(command("readInto", always, readInto)),
  fc.constant(command("drain", always, drain)),
  fc.nat(5).map((i) => command(`release ${i}`, someHeld, (m) => release(m, i))),
  fc.constant(command("release all", someHeld, releaseAll)),
  fc
    .tuple(
      fc.oneof(
        { weight: 5, arbitrary: fc.integer({ min: 1, max: 16 }) },
        fc.constantFrom(0, -1, 1.5, 99, Number.NaN),
      ),
      fc.option(fc.integer({ min: 0, max: 24 }), { nil: undefined }),
    )
    .map(([window, hop]) =>
      command(`reconfigure ${window} ${hop}`, always, (m, r) => reconfigure(m, r, window, hop)),
    ),
  fc
    .constantFrom(0.1, 0.25, 0.5, 0.9, 1, 1.1, 2, 10)
    .map((factor) => command(`scaleWindow ${factor}`, always, (m, r) => scale(m, r, factor))),
];

const parameters: fc.Arbitrary<RingParameters> = fc
  .record({
    dtype: fc.constantFrom("f32" as const, "i16" as const),
    whenFull: fc.constantFrom("overwrite" as const, "reject" as const),
    window: fc.integer({ min: 1, max: 10 }),
    hop: fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 24 })),
    longer: fc.nat(10),
    shorter: fc.nat(10),
    more: fc.nat(40),
    windows: fc.integer({ min: 1, max: 4 }),
  })
  .map(({ longer, shorter, more, ...rest }) => {
    const maxWindow = rest.window + longer;
    return { ...rest, maxWindow, minWindow: Math.max(1, rest.window - shorter), capacity: maxWindow + more };
  });

describe.each(BUILDS)("properties of an analysis buffer, $build", ({ threads }) => {
  it("gives the windows that the model gives, and loses nothing uncounted", { timeout: 60_000 }, async () => {
    const property = fc.asyncProperty(
      parameters,
      fc.commands(COMMANDS, { maxCommands: 60, size: "max" }),
      fc.boolean(),
      fc.boolean(),
      async (given, commands, opened, closeFirst) => {
        const core = await createCore({ memoryBytes: 2 ** 18, threads });
        const before = core.freeBytes();
        const reader = createAnalysisBuffer(core, { name: "mic", ...given });
        const writer = opened ? openAnalysisBuffer(core, "mic") : reader;
        const counts = { offered: 0, position: 0, rejected: 0, skipped: 0, read: 0, exhausted: 0 };
        const lists = { accepted: [], held: [], released: [] };
        const model: AnalysisModel = { ...given, ...counts, ...lists, lastStart: -1 };
        try {
          fc.modelRun(() => ({ model, real: { reader, writer } }), commands);
          if (!closeFirst) releaseAll(model);
          expect(reader.shutdown()).toBe(model.held.length);
          expect(() => reader.read()).toThrow(PoolClosedError);
          for (const { window, expected } of model.held) expectSamples(window, expected);
        } finally {
          releaseAll(model);
        }
        expect(core.freeBytes()).toBe(before);
      },
    );
    await fc.assert(property, { seed: 47, numRuns: runs(120) });
  });

  it("says where a window starts, whatever another agent does during the read", async () => {
    const property = fc.asyncProperty(
      fc.constantFrom("before ringTake", "after ringTake"),
      fc.nat(30),
      fc.nat(40),
      fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }),
      async (when, early, late, hop) => {
        const core = await createCore({ memoryBytes: 2 ** 18, threads });
        const options: AnalysisBufferOptions = { name: "mic", window: 4, hop: 2, capacity: 16, maxWindow: 4 };
        createAnalysisBuffer(core, options);
        const other = openAnalysisBuffer(core, "mic");
        let next = 0;
        const write = (count: number) => {
          other.write(Float32Array.from({ length: count }, () => sample("f32", next++)));
        };
        const interfere = () => {
          write(late);
          if (hop !== undefined) other.reconfigure({ window: 4, hop });
        };
        const reader = openAnalysisBuffer(interrupted(core, when, interfere), "mic");
        write(early);
        using window = reader.read();
        expect(window !== undefined).toBe(early + (when === "before ringTake" ? late : 0) >= 4);
        if (window === undefined) return;
        expectSamples(
          window,
          [0, 1, 2, 3].map((i) => sample("f32", window.start + i)),
        );
      },
    );
    await fc.assert(property, { seed: 48, numRuns: runs(60) });
  });
});

/** The core as an agent sees it whom another one interrupts at its ringTake. */
function interrupted(core: Core, when: string, interfere: () => void): Core {
  const { ringTake } = core.exports;
  const exports = {
    ...core.exports,
    ringTake(...take: Parameters<typeof ringTake>) {
      if (when === "before ringTake") interfere();
      const result = ringTake(...take);
      if (when === "after ringTake") interfere();
      return result;
    },
  };
  return { ...core, exports };
}
