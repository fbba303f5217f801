import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alignmentMatrix } from "../../src/decoding/align-words.ts";
import { seededRandom } from "../../src/decoding/random.ts";
import type { CrossAttention } from "../../src/inference/decoder.ts";

const softmax = (row: number[]) => {
  const total = row.reduce((sum, x) => sum + Math.exp(x), 0);
  return row.map((x) => Math.exp(x) / total);
};

/** openai/whisper `timing.py`, `find_alignment`, from the scores before any softmax to the matrix for time warping. */
function restated(scores: number[][][], frames: number, from: number, rows: number): number[][] {
  const heads = scores.map((head) => {
    const weights = head.map((row) => softmax(row.slice(0, frames)));
    const scaled = weights.map((row) => [...row]);
    for (let t = 0; t < frames; t++) {
      const column = weights.map((row) => row[t]!);
      const mean = column.reduce((sum, x) => sum + x, 0) / column.length;
      const std = Math.sqrt(column.reduce((sum, x) => sum + (x - mean) ** 2, 0) / column.length);
      for (const row of scaled) row[t] = (row[t]! - mean) / std;
    }
    return scaled.map((row) => {
      if (frames <= 3) return row;
      const mirrored = [...row.slice(1, 4).reverse(), ...row, ...row.slice(-4, -1).reverse()];
      return row.map((_, i) => mirrored.slice(i, i + 7).sort((a, b) => a - b)[3]!);
    });
  });
  return Array.from({ length: rows }, (_, i) =>
    Array.from(
      { length: frames },
      (_, t) => heads.reduce((sum, head) => sum + head[from + i]![t]!, 0) / heads.length,
    ),
  );
}

describe("alignmentMatrix", () => {
  it("is that of the reference, though attention comes after a softmax over all positions", () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 2, max: 30 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 2, max: 9 }),
        (seed, positions, frames, tokens) => {
          const random = seededRandom(seed);
          const [heads, from] = [3, 1];
          const scores = Array.from({ length: heads }, () =>
            Array.from({ length: tokens }, () => Array.from({ length: positions }, () => random() * 6)),
          );
          const attentions = [4, 5].map((layer): CrossAttention => {
            // Layer 5 holds the heads in question, layer 4 others.
            const weights = Float32Array.from(
              scores.flatMap((head) =>
                head.flatMap((row) => softmax(layer === 5 ? row : row.map(() => random()))),
              ),
            );
            return { layer, heads, tokens, positions, weights };
          });
          const { matrix, columns } = alignmentMatrix(
            attentions,
            [0, 1, 2].map((head): [number, number] => [5, head]),
            frames * 0.02,
            from,
            tokens - from,
          );
          expect(columns).toBe(Math.min(frames, positions));
          const expected = restated(scores, columns, from, tokens - from).flat();
          const worst = Math.max(...expected.map((x, i) => Math.abs(x - matrix[i]!)));
          // Attention is float32; standardising columns that hardly differ magnifies its rounding.
          if (columns > 1) expect(worst).toBeLessThan(1e-2);
        },
      ),
    );
  });

  it("gives numbers where attention is the same everywhere or lies beyond the sound", () => {
    for (const at of [0, 9]) {
      const weights = new Float32Array(4 * 10);
      for (let token = 0; token < 4; token++) weights[token * 10 + at] = 1;
      const attention: CrossAttention = { layer: 0, heads: 1, tokens: 4, positions: 10, weights };
      const { matrix } = alignmentMatrix([attention], [[0, 0]], 0.1, 1, 3);
      expect([...matrix]).toEqual(new Array(3 * 5).fill(0));
    }
  });
});
