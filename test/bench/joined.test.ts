import { describe, expect, it } from "vitest";
import { joinClips, judge, memorySlope, speechIn } from "../../bench/wer/joined.mjs";

const RATE = 16000;

/** A tone of so many seconds within silence. */
function clip(words: string, silence: number, seconds: number) {
  const samples = new Float32Array(RATE * (2 * silence + seconds));
  const tone = samples.subarray(RATE * silence, RATE * (silence + seconds));
  for (let i = 0; i < tone.length; i++) tone[i] = 0.3 * Math.sin(i / 5);
  return { samples, words };
}

const WORDS = ["the train to london leaves at noon", "please take your seats", "good morning to all of you"];
const joined = joinClips(WORDS.map((words, i) => clip(words, 0.5 * (i + 1), 2 + i)));
const { utterances } = joined;
const exact = utterances.map(({ words, start, end }) => ({ text: words, start, end }));
const all = (segments: { text: string }[]) => segments.map(({ text }) => text).join(" ");

describe("joining", () => {
  it("cuts the clips' own silence off and knows where speech begins", () => {
    const { from, to } = speechIn(clip("", 0.5, 2).samples);
    expect([Math.abs(from / RATE - 0.5), Math.abs(to / RATE - 2.5)].every((off) => off <= 0.0201)).toBe(true);
    for (const [i, { start, end }] of utterances.entries()) {
      expect(Math.abs(end - start - (2 + i))).toBeLessThanOrEqual(0.0401); // a frame on either side
      const at = Math.round(start * RATE);
      const loudest = (from: number, to: number) =>
        Math.max(...joined.samples.subarray(from, to).map(Math.abs));
      expect(loudest(at - 0.3 * RATE, at)).toBeLessThanOrEqual(0.001);
      expect(loudest(at, at + 100)).toBeGreaterThan(0.25);
      const pause = start - (utterances[i - 1]?.end ?? 0);
      expect(pause).toBeGreaterThanOrEqual(0.299);
      expect(pause).toBeLessThanOrEqual(1.501 + 0.12);
    }
  });

  it("gives the same sound for the same seed", () => {
    const clips = [clip("a", 0.1, 1), clip("b", 0.1, 1)];
    expect(joinClips(clips, 7).samples).toEqual(joinClips(clips, 7).samples);
    expect(joinClips(clips, 8).samples.length).not.toBe(joinClips(clips, 7).samples.length);
  });
});

describe("judging", () => {
  it("finds nothing wrong with what is right", () => {
    const verdict = judge(joined, { text: all(exact), segments: exact });
    expect(verdict.joints).toEqual({ all: 2, count: 2, right: 2, share: 1, median: 0, worst: 0 });
    expect(verdict.pauses).toMatchObject({ count: 2, right: 2, worst: 0 });
    expect(verdict.near).toMatchObject({ count: 2, right: 2 });
    expect(verdict).toMatchObject({ lost: [], repeated: [], added: [] });
  });

  it("sees starts that are off, also where the first word was misheard", () => {
    const late = exact.map((segment, i) => ({ ...segment, start: segment.start + (i === 1 ? 0.7 : 0.2) }));
    late[2] = { ...late[2]!, text: "hood morning to all of you" };
    const { joints, near } = judge(joined, { text: all(late), segments: late });
    expect(joints).toMatchObject({ count: 2, right: 1, share: 0.5 });
    expect(joints?.worst).toBeCloseTo(0.7, 6);
    expect(near).toMatchObject({ count: 2, right: 1 });
  });

  it("takes a start anywhere in the pause for one at the pause", () => {
    const early = exact.map((segment, i) => ({ ...segment, start: i === 0 ? 0 : exact[i - 1]!.end - 0.1 }));
    const { joints, pauses } = judge(joined, { text: all(early), segments: early });
    expect(pauses).toMatchObject({ count: 2, right: 2 });
    expect(pauses?.worst).toBeCloseTo(0.1, 6);
    expect(joints?.worst).toBeGreaterThan(0.39);
  });

  it("finds where noisy speech begins", () => {
    const { samples } = clip("", 0.5, 2);
    for (let i = 0; i < samples.length; i++) samples[i]! += 0.02 * Math.sin(i * i) + 0.3 * Math.sin(i / 100);
    const { from, to } = speechIn(samples);
    expect(Math.abs(from / RATE - 0.5)).toBeLessThanOrEqual(0.0201);
    expect(Math.abs(to / RATE - 2.5)).toBeLessThanOrEqual(0.0201);
  });

  it("does not take a sentence within an utterance for its start", () => {
    const [first, ...rest] = exact;
    const parts = [
      { ...first!, text: "the train to london" },
      { ...first!, start: first!.start + 1, text: "leaves at noon" },
      ...rest,
    ];
    expect(judge(joined, { text: all(parts), segments: parts }).joints).toMatchObject({ count: 2, right: 2 });
  });

  it("finds a lost utterance", () => {
    const two = [exact[0]!, exact[2]!];
    expect(judge(joined, { text: all(two), segments: two }).lost).toEqual([1]);
    expect(judge(joined, { text: all(two) }).lost).toEqual([1]);
    expect(judge(joined, { text: all(two) }).misheard).toEqual([]);
  });

  it("tells an utterance that was misheard from a lost one", () => {
    const wrong = [exact[0]!, { ...exact[1]!, text: "peas dake sheets" }, exact[2]!];
    expect(judge(joined, { text: all(wrong) })).toMatchObject({ lost: [], misheard: [1], added: [] });
  });

  it("finds a repeated utterance, and words that nobody said", () => {
    const twice = [exact[0]!, exact[1]!, exact[1]!, exact[2]!];
    expect(judge(joined, { text: all(twice), segments: twice })).toMatchObject({
      lost: [],
      repeated: ["please take your seats"],
      added: [],
    });
    const loop = { text: `${all(exact)} so it goes so it goes so it goes` };
    expect(judge(joined, loop)).toMatchObject({ repeated: ["so it goes so it goes so it goes"], added: [] });
    const more = { text: `${all(exact)} thanks for watching this video` };
    expect(judge(joined, more)).toMatchObject({ repeated: [], added: ["thanks for watching this video"] });
    expect(judge(joined, more).joints).toBeUndefined();
  });

  it("measures the growth of memory after the first quarter", () => {
    const grows = Array.from(
      { length: 20 },
      (_, i) => [i * 30, i < 4 ? 0 : 1000 + i * 50] as [number, number],
    );
    expect(memorySlope(grows)).toBeCloseTo(100, 6);
    expect(memorySlope(grows.map(([seconds]) => [seconds, 5] as [number, number]))).toBe(0);
  });
});
