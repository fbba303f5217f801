import { expect, it } from "vitest";
import { createSpectrogramRing } from "../../src/browser/spectrogram-ring.ts";
import { createSpectrogramView } from "../../src/browser/spectrogram-view.ts";
import { createCore } from "../../src/core/create-core.ts";
import { poolStatistics } from "../../src/pools/pool-statistics.ts";

/** Tones that change each tenth of a second, so that every frame is another. */
const sound = Float32Array.from(
  { length: 16000 * 14 },
  (_, i) => 0.3 * Math.sin((2 * Math.PI * i * (200 + 20 * Math.floor(i / 1600))) / 16000),
);

it.each([true, false])("shows a page the latest frames, shared memory: %s", async (threads) => {
  const core = await createCore({ memoryBytes: 16 * 2 ** 20, threads });
  const ring = createSpectrogramRing(core);
  const view = createSpectrogramView(threads ? core : undefined, ring.place);
  const blocks = [512, 16000, 37, 4096];
  let frames = 0;
  for (let at = 0, i = 0; at < sound.length; i++) {
    const block = sound.subarray(at, at + blocks[i % blocks.length]!);
    frames += ring.push(block);
    view.update(ring.written, ring.latest(ring.place.frames));
    at += block.length;
  }
  expect(ring.written).toBe(frames);
  expect(Math.abs(frames - 1400)).toBeLessThan(4);
  expect([view.written, view.bins, view.capacity]).toEqual([frames, 80, 1024]);
  // A ring of more frames than there were lies in memory as they came; the view's last frames are those of any other cut.
  const whole = createSpectrogramRing(core);
  for (let at = 0; at < sound.length; at += 512) whole.push(sound.subarray(at, at + 512));
  const [a, b] = [ring.latest(1000), whole.latest(1000)];
  const column = (values: Float32Array, frame: number) => values.subarray(80 * frame, 80 * (frame + 1));
  for (let frame = 0; frame < 1000; frame += 37) {
    const lies = (frames - 1000 + frame) % 1024;
    expect([...column(view.frames, lies)]).toEqual([...column(a, frame)]);
    const loudest = (values: Float32Array) => values.indexOf(Math.max(...values));
    expect(loudest(column(a, frame))).toBe(loudest(column(b, frame)));
  }
  ring.close();
  whole.close();
  expect(poolStatistics(core).every(({ inUse }) => inUse === 0)).toBe(true);
});
