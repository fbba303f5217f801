import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { warp } from "../../src/decoding/dynamic-time-warping.ts";

/** Cost of the cheapest way, over all ways. */
function cheapest(cost: Float64Array, rows: number, columns: number, row = 0, column = 0): number {
  const own = cost[row * columns + column]!;
  const ways: number[] = [];
  if (row + 1 < rows) ways.push(cheapest(cost, rows, columns, row + 1, column));
  if (column + 1 < columns) ways.push(cheapest(cost, rows, columns, row, column + 1));
  if (row + 1 < rows && column + 1 < columns) ways.push(cheapest(cost, rows, columns, row + 1, column + 1));
  return own + (ways.length === 0 ? 0 : Math.min(...ways));
}

const matrices = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 6 }))
  .chain(([rows, columns]) =>
    fc.record({
      rows: fc.constant(rows),
      columns: fc.constant(columns),
      cost: fc.array(fc.integer({ min: -9, max: 9 }), {
        minLength: rows * columns,
        maxLength: rows * columns,
      }),
    }),
  );

describe("warp", () => {
  it("goes from the first entry to the last by the cheapest of all ways", () => {
    fc.assert(
      fc.property(matrices, ({ rows, columns, cost }) => {
        const matrix = Float64Array.from(cost);
        const path = warp(matrix, rows, columns);
        const { length } = path.rows;
        expect([path.rows[0], path.columns[0]]).toEqual([0, 0]);
        expect([path.rows[length - 1], path.columns[length - 1]]).toEqual([rows - 1, columns - 1]);
        let sum = 0;
        for (let i = 0; i < length; i++) {
          sum += matrix[path.rows[i]! * columns + path.columns[i]!]!;
          if (i === 0) continue;
          const step = [path.rows[i]! - path.rows[i - 1]!, path.columns[i]! - path.columns[i - 1]!];
          expect([
            [0, 1],
            [1, 0],
            [1, 1],
          ]).toContainEqual(step);
        }
        expect(sum).toBeCloseTo(cheapest(matrix, rows, columns), 9);
      }),
    );
  });

  it("goes along a diagonal of low cost, as openai/whisper's own test of dtw", () => {
    // tests/test_timing.py, test_dtw: a random staircase at zero cost in a matrix of ones.
    const [rows, columns] = [5, 8];
    const steps = [1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0]; // 1: right, 0: down
    const matrix = new Float64Array(rows * columns).fill(1);
    const expected: [number, number][] = [[0, 0]];
    for (const step of steps) {
      const [row, column] = expected.at(-1)!;
      expected.push(step ? [row, column + 1] : [row + 1, column]);
    }
    for (const [row, column] of expected) matrix[row * columns + column] = -1;
    const path = warp(matrix, rows, columns);
    expect([...path.rows].map((row, i) => [row, path.columns[i]])).toEqual(expected);
  });
});
