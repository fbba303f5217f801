/**
 * Complex transform in plain JavaScript, float64: Stockham's self-sorting form with radices 5, 4 and 2
 * (Van Loan, Computational Frameworks for the Fast Fourier Transform, 1992).
 */
const SIN72 = Math.sin((2 * Math.PI) / 5);
const SIN144 = Math.sin((4 * Math.PI) / 5);
const ROOT5 = Math.sqrt(5) / 4;

/** A transform of 2^a 5^b points: fill `re` and `im`, call `run`, and it gives the arrays that hold the result. */
export function createComplexFft(points) {
  const passes = [];
  for (let rest = points, stride = 1; rest > 1; ) {
    const radix = rest % 5 === 0 ? 5 : rest % 4 === 0 ? 4 : 2;
    const columns = rest / radix;
    const turns = Array.from({ length: columns * (radix - 1) }, (_, i) => {
      const power = Math.floor(i / (radix - 1)) * (1 + (i % (radix - 1)));
      return (2 * Math.PI * power) / rest;
    });
    passes.push({
      butterfly: { 2: pass2, 4: pass4, 5: pass5 }[radix],
      columns,
      stride,
      cos: Float64Array.from(turns, Math.cos),
      sin: Float64Array.from(turns, Math.sin),
    });
    rest = columns;
    stride *= radix;
  }
  const a = { re: new Float64Array(points), im: new Float64Array(points) };
  const b = { re: new Float64Array(points), im: new Float64Array(points) };

  function run() {
    let from = a;
    let to = b;
    for (const pass of passes) {
      pass.butterfly(from.re, from.im, to.re, to.im, pass);
      const filled = to;
      to = from;
      from = filled;
    }
    return from;
  }
  return { re: a.re, im: a.im, run };
}

function pass2(xr, xi, yr, yi, { columns, stride, cos, sin }) {
  for (let p = 0; p < columns; p++) {
    const c = cos[p];
    const s = sin[p];
    for (let q = 0; q < stride; q++) {
      const i = q + stride * p;
      const j = i + stride * columns;
      const o = q + stride * 2 * p;
      const dr = xr[i] - xr[j];
      const di = xi[i] - xi[j];
      yr[o] = xr[i] + xr[j];
      yi[o] = xi[i] + xi[j];
      yr[o + stride] = dr * c + di * s;
      yi[o + stride] = di * c - dr * s;
    }
  }
}

function pass4(xr, xi, yr, yi, { columns, stride, cos, sin }) {
  const step = stride * columns;
  for (let p = 0; p < columns; p++) {
    for (let q = 0; q < stride; q++) {
      const i = q + stride * p;
      const o = q + stride * 4 * p;
      const ar = xr[i] + xr[i + 2 * step];
      const ai = xi[i] + xi[i + 2 * step];
      const br = xr[i] - xr[i + 2 * step];
      const bi = xi[i] - xi[i + 2 * step];
      const cr = xr[i + step] + xr[i + 3 * step];
      const ci = xi[i + step] + xi[i + 3 * step];
      const dr = xr[i + step] - xr[i + 3 * step];
      const di = xi[i + step] - xi[i + 3 * step];
      yr[o] = ar + cr;
      yi[o] = ai + ci;
      turn(yr, yi, o + stride, br + di, bi - dr, cos[3 * p], sin[3 * p]);
      turn(yr, yi, o + 2 * stride, ar - cr, ai - ci, cos[3 * p + 1], sin[3 * p + 1]);
      turn(yr, yi, o + 3 * stride, br - di, bi + dr, cos[3 * p + 2], sin[3 * p + 2]);
    }
  }
}

function pass5(xr, xi, yr, yi, { columns, stride, cos, sin }) {
  const step = stride * columns;
  for (let p = 0; p < columns; p++) {
    for (let q = 0; q < stride; q++) {
      const i = q + stride * p;
      const o = q + stride * 5 * p;
      const t1r = xr[i + step] + xr[i + 4 * step];
      const t1i = xi[i + step] + xi[i + 4 * step];
      const t2r = xr[i + 2 * step] + xr[i + 3 * step];
      const t2i = xi[i + 2 * step] + xi[i + 3 * step];
      const t3r = xr[i + step] - xr[i + 4 * step];
      const t3i = xi[i + step] - xi[i + 4 * step];
      const t4r = xr[i + 2 * step] - xr[i + 3 * step];
      const t4i = xi[i + 2 * step] - xi[i + 3 * step];
      const sumR = t1r + t2r;
      const sumI = t1i + t2i;
      yr[o] = xr[i] + sumR;
      yi[o] = xi[i] + sumI;
      const mr = xr[i] - sumR / 4;
      const mi = xi[i] - sumI / 4;
      const nr = ROOT5 * (t1r - t2r);
      const ni = ROOT5 * (t1i - t2i);
      const b1r = SIN72 * t3r + SIN144 * t4r;
      const b1i = SIN72 * t3i + SIN144 * t4i;
      const b2r = SIN144 * t3r - SIN72 * t4r;
      const b2i = SIN144 * t3i - SIN72 * t4i;
      turn(yr, yi, o + stride, mr + nr + b1i, mi + ni - b1r, cos[4 * p], sin[4 * p]);
      turn(yr, yi, o + 2 * stride, mr - nr + b2i, mi - ni - b2r, cos[4 * p + 1], sin[4 * p + 1]);
      turn(yr, yi, o + 3 * stride, mr - nr - b2i, mi - ni + b2r, cos[4 * p + 2], sin[4 * p + 2]);
      turn(yr, yi, o + 4 * stride, mr + nr - b1i, mi + ni + b1r, cos[4 * p + 3], sin[4 * p + 3]);
    }
  }
}

/** Stores (re + i im) (c - i s). */
function turn(yr, yi, at, re, im, c, s) {
  yr[at] = re * c + im * s;
  yi[at] = im * c - re * s;
}
