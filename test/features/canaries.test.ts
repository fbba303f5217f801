import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { poolAddresses } from "../../src/core/core.ts";
import { type Core, createBufferPool, createCore, createFrontEnd, type Lease } from "../../src/index.ts";
import { readDescription } from "../../src/pools/pool-description.ts";
import { slotMemory } from "../../src/pools/slot-memory.ts";
import { KERNEL_BUILDS } from "../reference/builds.ts";
import { whiteNoise } from "../reference/signals.ts";
import { descriptionOf, FRAMED, WHOLE_CLIPS } from "./front-ends.ts";
import { firstWrite, type Range, under, workspaces } from "./untouched.ts";

const SEED = 131;
const GUARD = 12345.678;
const FLOATS = 128 * 3000 + 16;
const FRONT_ENDS = { ...FRAMED, ...Object.fromEntries(WHOLE_CLIPS.map((preset) => [preset, { preset }])) };
/** Odd lengths, and odd places in memory: neither a multiple of a vector. */
const LENGTHS = [
  [1, 1],
  [401, 3],
  [1039, 2],
  [3001, 1],
  [5127, 7],
] as const;

/**
 * All memory of the core is compared before and after: nothing may change but the values asked for, the agent's own
 * workspace, and the state of a stream.
 */
describe.each(KERNEL_BUILDS)(
  "nothing is written past what was given, $build (seed 131)",
  ({ threads, relaxed }) => {
    let core: Core;
    let clip: Lease<"f32">;
    let result: Lease<"f32">;

    beforeAll(async () => {
      core = await createCore({ threads, relaxed, memoryBytes: 5 * 2 ** 20 });
      const [a, b] = [6000, FLOATS].map((shape) =>
        createBufferPool(core, {
          name: `guarded ${shape}`,
          dtype: "f32",
          shape,
          initial: 1,
          max: 1,
        }).acquire(),
      );
      clip = a!;
      result = b!;
    });

    afterAll(() => {
      clip.release();
      result.release();
    });

    it.each(Object.keys(FRONT_ENDS))("%s, at once and in a stream", (name) => {
      const options = FRONT_ENDS[name]!;
      const description = descriptionOf(options);
      const made = createFrontEnd(core, options);
      for (const [length, offset] of LENGTHS) {
        const message = `${length} samples at ${offset}, seed ${SEED + length}`;
        clip.view.fill(GUARD);
        result.view.fill(GUARD);
        const samples = clip.view.subarray(offset, offset + length);
        samples.set(whiteNoise(length, SEED + length));
        const values = made.features * made.frames(length);
        const out = result.view.subarray(offset, offset + values);
        if (values > 0) {
          made.compute(samples, out); // so that what grows on demand has grown
          const allowed = [...workspaces(core, description), under(out)];
          samples.set(whiteNoise(length, SEED));
          expect(
            firstWrite(core, allowed, () => made.compute(samples, out)),
            message,
          ).toBeUndefined();
          expect([result.view[offset - 1], result.view[offset + values]], message).toEqual([
            Math.fround(GUARD),
            Math.fround(GUARD),
          ]);
          expect(
            out.some((x) => x === Math.fround(GUARD)),
            message,
          ).toBe(false);
        }
        if (description.frame) streamed(name, samples, offset, message);
      }
    });

    function streamed(name: string, samples: Float32Array, offset: number, message: string): void {
      const made = createFrontEnd(core, FRONT_ENDS[name]!);
      using stream = made.stream({ frames: 9 });
      const whole = made.frames(samples.length);
      stream.read(result.view, 0, 0);
      const state = stateOf();
      const write = (run: () => void, ...more: Range[]) =>
        firstWrite(core, [...workspaces(core, descriptionOf(FRONT_ENDS[name]!)), state, ...more], run);
      const push = () => {
        for (let at = 0; at < samples.length; at += 613)
          stream.push(samples.subarray(at, Math.min(samples.length, at + 613)));
        stream.flush();
      };
      expect(write(push), message).toBeUndefined();
      const { firstFrame } = stream;
      const count = whole - firstFrame;
      result.view.fill(GUARD);
      const out = result.view.subarray(offset, offset + made.features * count);
      stream.read(out, firstFrame, count);
      expect(
        write(() => stream.read(out, firstFrame, count), under(out)),
        message,
      ).toBeUndefined();
      expect(
        out.some((x) => x === Math.fround(GUARD)),
        message,
      ).toBe(false);
    }

    /** The buffer of the one stream there is. */
    function stateOf(): Range {
      for (const pool of poolAddresses(core)) {
        const { name, dtype, bytes, max } = readDescription(core, pool);
        if (!name.startsWith("streams ")) continue;
        const { offsetAt } = slotMemory(core, pool, dtype, bytes / 4);
        for (let i = 0; i < max; i++)
          if (core.exports.slotHandle(pool, i) !== 0) return [offsetAt(i), offsetAt(i) + bytes];
      }
      throw new Error("no stream is open");
    }
  },
);
