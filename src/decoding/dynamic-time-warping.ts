/** A way through a matrix from its first to its last entry: the row and column of each step. */
export interface WarpingPath {
  readonly rows: Int32Array;
  readonly columns: Int32Array;
}

const DIAGONAL = 0;
const DOWN = 1;
const RIGHT = 2;

/**
 * The cheapest way from the first entry of a matrix to its last, in steps of one row, one column or both: dynamic
 * time warping (Sakoe and Chiba 1978; openai/whisper `timing.py`, `dtw_cpu`). Among equals a step of one column is
 * taken, as there; where the other two are equal and cheaper, the reference takes the dearer one column all the
 * same, here it is both.
 *
 * @param cost [rows × columns], any finite numbers
 * @returns every entry on the way, the first and the last among them.
 */
export function warp(cost: Float64Array, rows: number, columns: number): WarpingPath {
  const trace = new Uint8Array(rows * columns);
  let above = new Float64Array(columns + 1).fill(Number.POSITIVE_INFINITY);
  above[0] = 0;
  let current = new Float64Array(columns + 1);
  for (let row = 0; row < rows; row++) {
    current[0] = Number.POSITIVE_INFINITY;
    for (let column = 0; column < columns; column++) {
      const diagonal = above[column]!;
      const down = above[column + 1]!;
      const right = current[column]!;
      let least = right;
      let step = RIGHT;
      if (diagonal < right && diagonal <= down) {
        least = diagonal;
        step = DIAGONAL;
      } else if (down < right && down < diagonal) {
        least = down;
        step = DOWN;
      }
      current[column + 1] = cost[row * columns + column]! + least;
      trace[row * columns + column] = step;
    }
    [above, current] = [current, above];
  }
  return traceBack(trace, rows, columns);
}

function traceBack(trace: Uint8Array, rows: number, columns: number): WarpingPath {
  const path = { rows: new Int32Array(rows + columns - 1), columns: new Int32Array(rows + columns - 1) };
  let at = path.rows.length;
  let row = rows - 1;
  let column = columns - 1;
  for (;;) {
    at--;
    path.rows[at] = row;
    path.columns[at] = column;
    if (row === 0 && column === 0) break;
    // On the edges there is one way only.
    const step = row === 0 ? RIGHT : column === 0 ? DOWN : trace[row * columns + column]!;
    if (step !== RIGHT) row--;
    if (step !== DOWN) column--;
  }
  return { rows: path.rows.subarray(at), columns: path.columns.subarray(at) };
}
