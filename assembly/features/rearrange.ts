/** From the features of single frames to those that a model takes: stacked frames, cepstra. */
import { cosTurn } from "../kernels/trigonometry";

/**
 * Low frame rate: vector t of the result is frames t × `step` - `left` to that + `stacked`, one after the other;
 * the first frame stands for those before it and the last for those after (FunASR WavFrontend apply_lfr).
 *
 * `from` holds `frames` frames of `width` float32; writes vectors `first` to `first` + `vectors`.
 */
export function stackFrames(
  from: usize, frames: i32, width: u32, stacked: i32, step: i32, left: i32, first: i32, vectors: i32, out: usize,
): void {
  const bytes = (width as usize) << 2;
  for (let t = first; t < first + vectors; t++) {
    for (let i: i32 = 0; i < stacked; i++, out += bytes) {
      const at = max(0, min(frames - 1, t * step - left + i));
      memory.copy(out, from + (at as usize) * bytes, bytes);
    }
  }
}

/** Bytes of the table of an orthonormal DCT-II. */
export function cosineTableBytes(inputs: u32, outputs: u32): u32 {
  return 8 * inputs * outputs;
}

/**
 * Rows of the orthonormal DCT-II in float64: sqrt(2 / n) cos(pi k (2 i + 1) / 2 n), row 0 over sqrt(2), as
 * scipy.fft.dct with norm "ortho" and torchaudio.functional.create_dct.
 */
export function cosineTableBuild(table: usize, inputs: u32, outputs: u32): void {
  const height = Math.sqrt(2 / (inputs as f64));
  for (let k: u32 = 0; k < outputs; k++) {
    const scale = k == 0 ? Math.sqrt(1 / (inputs as f64)) : height;
    for (let i: u32 = 0; i < inputs; i++, table += 8) {
      store<f64>(table, scale * cosTurn(k * (2 * i + 1), 4 * inputs));
    }
  }
}

/**
 * Cepstra: `outputs` rows of `frames` values from `inputs` rows, mel-major both. The sums are float64: decibels of
 * -100 add up to -1000, where float32 would lose what tells the frames apart.
 */
export function cosineTransform(table: usize, from: usize, inputs: u32, outputs: u32, frames: u32, out: usize): void {
  const rowBytes = (frames as usize) << 2;
  for (let k: u32 = 0; k < outputs; k++, table += (inputs as usize) << 3, out += rowBytes) {
    let t: usize = 0;
    for (; t + 8 <= rowBytes; t += 8) {
      let sum = f64x2.splat(0);
      for (let i: u32 = 0, at = from + t; i < inputs; i++, at += rowBytes) {
        const x = f64x2.promote_low_f32x4(v128.load64_zero(at));
        sum = f64x2.add(sum, f64x2.mul(x, v128.load64_splat(table + ((i as usize) << 3))));
      }
      v128.store64_lane(out + t, f32x4.demote_f64x2_zero(sum), 0);
    }
    if (t == rowBytes) continue;
    let sum: f64 = 0;
    for (let i: u32 = 0, at = from + t; i < inputs; i++, at += rowBytes) {
      sum += (load<f32>(at) as f64) * load<f64>(table + ((i as usize) << 3));
    }
    store<f32>(out + t, sum as f32);
  }
}
