import { describe, expect, it } from "vitest";
import { partDone } from "../src/cli/progress.ts";
import { createProgressBar } from "../src/cli/progress-bar.ts";

function stream(isTTY: boolean): { lines: string[]; target: NodeJS.WriteStream } {
  const lines: string[] = [];
  const target = { isTTY, write: (text: string) => lines.push(text) > 0 } as unknown as NodeJS.WriteStream;
  return { lines, target };
}

describe("createProgressBar", () => {
  it("redraws one line on a terminal and wipes it at the end", () => {
    const { lines, target } = stream(true);
    const bar = createProgressBar(target);
    bar.show("encoder", 0.5);
    bar.show("encoder", 0.5);
    bar.show("decoder 3 tokens", 1);
    bar.clear();
    bar.clear();
    expect(lines).toEqual([
      "\r\x1b[2K[############------------]  50 % encoder",
      "\r\x1b[2K[########################] 100 % decoder 3 tokens",
      "\r\x1b[2K",
    ]);
  });

  it("tells the file and the time left, in a line that does not wrap", () => {
    const { lines, target } = stream(true);
    const bar = createProgressBar(Object.assign(target, { columns: 60 }));
    bar.file("a\u001b[31m.wav", 2, 3);
    bar.show("mel", 0.5, 61.4);
    bar.file("long ".repeat(20), 3, 3);
    bar.show("mel", 1, 3723);
    bar.file("one.wav", 1, 1);
    bar.show("mel", 1, 3723);
    expect(lines).toEqual([
      "\r\x1b[2K[############------------]  50 %, 1:01 left, 2/3 a\\u001b[31",
      "\r\x1b[2K[########################] 100 %, 1:02:03 left, 3/3 long lo",
      "\r\x1b[2K[########################] 100 %, 1:02:03 left, mel",
    ]);
  });

  it("writes one line a file elsewhere, where there are several", () => {
    const { lines, target } = stream(false);
    const bar = createProgressBar(target);
    for (const number of [1, 2]) {
      bar.file(`${number}.wav`, number, 2);
      bar.show("mel", 0);
    }
    expect(lines).toEqual(["wavepool: 1.wav (1 of 2)\n", "wavepool: 2.wav (2 of 2)\n"]);
  });

  it("writes one line a stage elsewhere", () => {
    const { lines, target } = stream(false);
    const bar = createProgressBar(target);
    for (const stage of ["encoder", "decoder", "decoder 1 tokens", "decoder 2 tokens"]) bar.show(stage, 0);
    bar.clear();
    expect(lines).toEqual(["wavepool: encoder\n", "wavepool: decoder\n"]);
  });
});

describe("partDone", () => {
  it("rises from 0 to 1 through the stages and windows of a clip", () => {
    const duration = 40;
    const steps = [0, 28].flatMap((seconds) => [
      partDone({ stage: "audio", seconds, duration, tokens: 0, secondsLeft: undefined }),
      partDone({ stage: "mel", seconds, duration, tokens: 0, secondsLeft: undefined }),
      partDone({ stage: "encoder", seconds, duration, tokens: 0, secondsLeft: undefined }),
      partDone({ stage: "decoder", seconds, duration, tokens: 0, secondsLeft: undefined }),
      partDone({ stage: "decoder", seconds, duration, tokens: 20, secondsLeft: undefined }),
      partDone({ stage: "decoder", seconds, duration, tokens: 500, secondsLeft: undefined }),
    ]);
    expect(steps[0]).toBe(0);
    expect(steps.at(-1)).toBe(1);
    for (const part of steps) expect(part).toBeLessThanOrEqual(1);
    for (let i = 1; i < 6; i++) expect(steps[i]).toBeGreaterThan(steps[i - 1]!);
    for (let i = 7; i < 12; i++) expect(steps[i]).toBeGreaterThan(steps[i - 1]!);
  });
});
