/** From the features of single frames to those that a model takes: stacked frames, cepstra. */
import { multiplyAdd } from "../kernels/arithmetic";
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
  return 4 * inputs * outputs;
}

/**
 * Rows of the orthonormal DCT-II: sqrt(2 / n) cos(pi k (2 i + 1) / 2 n), row 0 over sqrt(2), as scipy.fft.dct
 * with norm "ortho" and torchaudio.functional.create_dct.
 */
export function cosineTableBuild(table: usize, inputs: u32, outputs: u32): void {
  const height = Math.sqrt(2 / (inputs as f64));
  for (let k: u32 = 0; k < outputs; k++) {
    const scale = k == 0 ? Math.sqrt(1 / (inputs as f64)) : height;
    for (let i: u32 = 0; i < inputs; i++, table += 4) {
      store<f32>(table, (scale * cosTurn(k * (2 * i + 1), 4 * inputs)) as f32);
    }
  }
}

/** Cepstra: `outputs` rows of `frames` values from `inputs` rows, mel-major both. */
export function cosineTransform(table: usize, from: usize, inputs: u32, outputs: u32, frames: u32, out: usize): void {
  const rowBytes = (frames as usize) << 2;
  for (let k: u32 = 0; k < outputs; k++, table += (inputs as usize) << 2, out += rowBytes) {
    let t: usize = 0;
    for (; t + 16 <= rowBytes; t += 16) {
      let sum = f32x4.splat(0);
      for (let i: u32 = 0, at = from + t; i < inputs; i++, at += rowBytes) {
        sum = multiplyAdd(v128.load32_splat(table + ((i as usize) << 2)), v128.load(at), sum);
      }
      v128.store(out + t, sum);
    }
    for (; t < rowBytes; t += 4) {
      // The same operations on vectors of one value, so that a frame's place does not change its last bit.
      let sum = f32x4.splat(0);
      for (let i: u32 = 0, at = from + t; i < inputs; i++, at += rowBytes) {
        sum = multiplyAdd(v128.load32_splat(table + ((i as usize) << 2)), v128.load32_splat(at), sum);
      }
      store<f32>(out + t, f32x4.extract_lane(sum, 0));
    }
  }
}
