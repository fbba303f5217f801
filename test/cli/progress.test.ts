import { describe, expect, it } from "vitest";
import { createFilesProgress, partDone } from "../../src/cli/progress.ts";

function recorder() {
  const shown: [string, number, number | undefined][] = [];
  const files: string[] = [];
  const bar = {
    file: (name: string, number: number, count: number) => files.push(`${name} ${number}/${count}`),
    show: (stage: string, done: number, left?: number) =>
      shown.push([stage, Math.round(done * 1000) / 1000, left === undefined ? left : Math.round(left)]),
    clear() {},
  };
  return { bar, shown, files };
}

describe("partDone", () => {
  it("is 0 while the length is unknown, and no more than 1", () => {
    expect(partDone({ stage: "decoder", seconds: 90, duration: undefined, tokens: 5 })).toBe(0);
    expect(partDone({ stage: "decoder", seconds: 10, duration: 10, tokens: 5 })).toBe(1);
    expect(partDone({ stage: "audio", seconds: 5, duration: 10, tokens: 0 })).toBe(0.5);
  });
});

describe("createFilesProgress", () => {
  it("counts files by their size and tells the time left from the time taken", () => {
    let now = 0;
    const { bar, shown, files } = recorder();
    const progress = createFilesProgress(bar, ["a.wav", "b.wav"], [3000, 1000], () => now);
    progress.begin(0);
    progress.loading();
    progress.update({ stage: "audio", seconds: 0, duration: 100, tokens: 0 });
    now = 15_000;
    progress.update({ stage: "audio", seconds: 50, duration: 100, tokens: 0 });
    progress.end(0);
    progress.begin(1);
    now = 30_000;
    // What the transcriber knows is of one file alone.
    progress.update({ stage: "audio", seconds: 0, duration: 10, tokens: 0, secondsLeft: 1 });
    progress.end(1);
    expect(files).toEqual(["a.wav 1/2", "b.wav 2/2"]);
    expect(shown).toEqual([
      ["loading model", 0, undefined],
      ["audio", 0, undefined],
      ["audio", 0.375, 25],
      ["audio", 0.75, 10],
    ]);
  });

  it("counts files alike where one has no size, and takes the transcriber's word for one file", () => {
    const two = recorder();
    const progress = createFilesProgress(two.bar, ["stdin", "b.wav"], [undefined, 1000], () => 0);
    progress.begin(0);
    progress.update({ stage: "decoder", seconds: 12.4, duration: undefined, tokens: 0 });
    progress.end(0);
    progress.begin(1);
    progress.update({ stage: "decoder", seconds: 0, duration: 10, tokens: 3 });
    expect(two.shown[0]).toEqual(["decoder at 12 s", 0, undefined]);
    expect(two.shown[1]![0]).toBe("decoder 3 tokens");
    expect(two.shown[1]![1]).toBeGreaterThan(0.5);
    const one = recorder();
    createFilesProgress(one.bar, ["a.wav"], [1], () => 0).update({
      stage: "mel",
      seconds: 1,
      duration: 2,
      tokens: 0,
      secondsLeft: 7.2,
    });
    expect(one.shown[0]![2]).toBe(7);
  });
});
