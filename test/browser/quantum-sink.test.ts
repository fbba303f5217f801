import { describe, expect, it } from "vitest";
import { type MicrophoneInput, portInput, ringInput } from "../../src/browser/microphone-input.ts";
import { portLink, type QuantumLink, sharedLink } from "../../src/browser/quantum-link.ts";
import { portSink, type Sink, sharedSink } from "../../src/browser/quantum-sink.ts";
import { createCore } from "../../src/core/create-core.ts";
import { poolStatistics } from "../../src/pools/pool-statistics.ts";

/** Quanta of two channels whose mean counts on, and every one of them without channels silent. */
function quantum(number: number): Float32Array[] {
  const left = Float32Array.from({ length: 128 }, (_, i) => (128 * number + i) / 2 ** 20);
  return [left.map((x) => 2 * x), new Float32Array(128)];
}

async function openEnds(transport: "shared" | "transferred") {
  const core = await createCore({ memoryBytes: 16 * 2 ** 20, threads: true });
  const link: QuantumLink = transport === "shared" ? sharedLink(core, 48000, 128) : portLink(48000, 128);
  const sink: Sink = "port" in link.start ? portSink(link.start) : sharedSink(core, link.start);
  const { worker } = link;
  const input: MicrophoneInput =
    "port" in worker ? portInput(worker.port) : ringInput(core, worker.ring.name, worker.ring.words);
  const close = () => {
    input.close();
    if ("port" in link.start) link.start.port.close();
    link.close();
  };
  return { core, link, sink, input, close };
}

/** All that has come. */
function take(input: MicrophoneInput, last = false): number[] {
  const samples: number[] = [];
  for (let block = input.read(last); block; block = input.read(last)) samples.push(...block);
  return samples;
}

/** Lets messages between ports arrive. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 50));

describe.each(["shared", "transferred"] as const)("quanta by %s memory", (transport) => {
  it("arrive mixed down, in order and whole, the last part too", async () => {
    const { link, sink, input, close, core } = await openEnds(transport);
    const heard: number[] = [];
    const count = 100;
    for (let i = 0; i < count; i++) {
      sink.take(i === 50 ? [] : quantum(i));
      if (i % 9 === 0) {
        await input.changed(5);
        heard.push(...take(input));
      }
    }
    sink.end();
    await input.changed(1000);
    while (!input.complete) await input.changed(1000);
    heard.push(...take(input, true));
    const expected = Array.from({ length: 128 * count }, (_, i) => (i >> 7 === 50 ? 0 : i / 2 ** 20));
    expect(heard).toEqual(expected);
    expect(link.counts() ?? input.counts).toEqual({ quanta: count, dropped: 0 });
    close();
    expect(poolStatistics(core).every(({ inUse }) => inUse === 0)).toBe(true);
  });

  it("are dropped and counted when nobody reads for 30 s, and go on behind that", async () => {
    const { link, sink, input, close } = await openEnds(transport);
    const seconds = (n: number) => Math.round((n * 48000) / 128);
    expect(sink.hasRoom()).toBe(true);
    for (let i = 0; i < seconds(28); i++) sink.take(quantum(i));
    expect(sink.hasRoom()).toBe(true);
    for (let i = seconds(28); i < seconds(32); i++) sink.take(quantum(i));
    expect(sink.hasRoom()).toBe(false);
    await settle();
    const first = take(input);
    expect(Math.abs(first.length / 48000 - 30)).toBeLessThan(0.5);
    expect(first.at(-1)).toBeCloseTo((first.length - 1) / 2 ** 20, 9);
    await settle(); // blocks go back
    for (let i = 0; i < 96; i++) sink.take(quantum(9));
    await settle();
    expect(take(input).length).toBeGreaterThan(0);
    sink.end();
    while (!input.complete) await input.changed(100);
    take(input, true);
    const { quanta, dropped } = (link.counts() ?? input.counts)!;
    expect(quanta).toBe(seconds(32) + 96);
    expect(Math.abs(dropped - seconds(2))).toBeLessThan(seconds(0.5));
    close();
  });
});
