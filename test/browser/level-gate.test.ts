import { expect, it } from "vitest";
import { createLevelGate } from "../../src/browser/level-gate.ts";

const SECONDS = 512 / 16000;
/** A chunk of a tone at a level in dB of full scale. */
const tone = (level: number) =>
  Float32Array.from(
    { length: 512 },
    (_, i) => Math.SQRT2 * 10 ** (level / 20) * Math.sin((2 * Math.PI * i * 32) / 512),
  );

it("takes for speech what is 10 dB above the room, whose level it follows", () => {
  const gate = createLevelGate(SECONDS);
  const heard = (level: number, chunks: number) => {
    let speech = 0;
    for (let i = 0; i < chunks; i++) speech += gate.probability(tone(level));
    return speech;
  };
  expect(heard(-45, 30)).toBe(0);
  expect(gate.level).toBeCloseTo(-45, 3);
  expect(heard(-38, 10)).toBe(0);
  expect(heard(-20, 60)).toBe(60);
  // A fan that stays on is noise after seconds: its level rises by 3 dB a second.
  expect(heard(-45, 1)).toBe(0);
  const fan = heard(-30, 400);
  expect(fan).toBeGreaterThan(30);
  expect(fan).toBeLessThan(80);
});

it("takes digital silence and whispers of the converter for none", () => {
  const gate = createLevelGate(SECONDS);
  expect(gate.probability(new Float32Array(512))).toBe(0);
  expect(gate.level).toBe(-100);
  expect(gate.probability(tone(-60))).toBe(0);
  expect(gate.probability(tone(-50))).toBe(1);
});
