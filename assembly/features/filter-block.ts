/** Powers of a block of sixteen frames, four groups of four, to features: mel filters, then the logarithm. */
import { multiplyAdd } from "../kernels/arithmetic";
import { logarithm } from "./logarithm";
import { PLACE, ROW, WEIGHTS } from "./mel-bank";

/** Place of the greatest features behind the totals. */
// @ts-ignore: decorator
@inline export const GREATEST: usize = 64;

/**
 * Filters the powers of four groups, `stride` bytes apart, each sum begun with `guard`, and takes the logarithm by
 * `table`, or leaves the sums where that is 0. Row `m` of the result, sixteen values, goes to `out` + m × `rowBytes`.
 * At `totals` the sums of each frame are added up, so that a NaN or an infinity anywhere shows there; GREATEST bytes
 * further the greatest feature in each lane is raised.
 */
export function filterBlock(
  bank: usize, count: u32, guard: f32, powers: usize, stride: usize, table: usize, out: usize, rowBytes: usize,
  totals: usize,
): void {
  let greatest = v128.load(totals, GREATEST);
  let w = bank + ROW * (count as usize);
  let t0 = f32x4.splat(0);
  let t1 = t0;
  let t2 = t0;
  let t3 = t0;
  for (const end = w; bank < end; bank += ROW) {
    let p0 = powers + (load<u32>(bank) as usize);
    let p1 = p0 + stride;
    let p2 = p1 + stride;
    let p3 = p2 + stride;
    let s0 = f32x4.splat(guard);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    const last = w + ((load<u32>(bank, WEIGHTS) as usize) << 2);
    for (; w + 8 <= last; w += 8, p0 += 32, p1 += 32, p2 += 32, p3 += 32) {
      let weight = v128.load32_splat(w);
      s0 = multiplyAdd(weight, v128.load(p0), s0);
      s1 = multiplyAdd(weight, v128.load(p1), s1);
      s2 = multiplyAdd(weight, v128.load(p2), s2);
      s3 = multiplyAdd(weight, v128.load(p3), s3);
      weight = v128.load32_splat(w, 4);
      s0 = multiplyAdd(weight, v128.load(p0, 16), s0);
      s1 = multiplyAdd(weight, v128.load(p1, 16), s1);
      s2 = multiplyAdd(weight, v128.load(p2, 16), s2);
      s3 = multiplyAdd(weight, v128.load(p3, 16), s3);
    }
    if (w < last) {
      const weight = v128.load32_splat(w);
      s0 = multiplyAdd(weight, v128.load(p0), s0);
      s1 = multiplyAdd(weight, v128.load(p1), s1);
      s2 = multiplyAdd(weight, v128.load(p2), s2);
      s3 = multiplyAdd(weight, v128.load(p3), s3);
      w = last;
    }
    t0 = f32x4.add(t0, s0);
    t1 = f32x4.add(t1, s1);
    t2 = f32x4.add(t2, s2);
    t3 = f32x4.add(t3, s3);
    const row = out + (load<u32>(bank, PLACE) as usize) * rowBytes;
    if (table) {
      s0 = logarithm(s0, table);
      s1 = logarithm(s1, table);
      s2 = logarithm(s2, table);
      s3 = logarithm(s3, table);
      greatest = f32x4.pmax(greatest, f32x4.pmax(f32x4.pmax(s0, s1), f32x4.pmax(s2, s3)));
    }
    v128.store(row, s0);
    v128.store(row, s1, 16);
    v128.store(row, s2, 32);
    v128.store(row, s3, 48);
  }
  v128.store(totals, t0);
  v128.store(totals, t1, 16);
  v128.store(totals, t2, 32);
  v128.store(totals, t3, 48);
  v128.store(totals, greatest, GREATEST);
}
