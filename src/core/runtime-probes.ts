/** What of WebAssembly this runtime offers, found by trying. */

/** "\0asm", version 1, one type () -> v128, one function of it. */
const V128_FUNCTION = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10];
// i32.const 0, i8x16.splat, end.
const SIMD = [...V128_FUNCTION, 8, 1, 6, 0, 65, 0, 253, 15, 11];
// i32.const 0, i8x16.splat, i32.const 0, i8x16.splat, i8x16.relaxed_swizzle, end.
const RELAXED_SIMD = [...V128_FUNCTION, 15, 1, 13, 0, 65, 0, 253, 15, 65, 0, 253, 15, 253, 128, 2, 11];
// One function (f32 a, f32 b, f32 c) -> f32 "f": a, b and c splat, f32x4.relaxed_madd, first lane.
const MULTIPLY_ADD = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 1, 96, 3, 125, 125, 125, 1, 125, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10,
  22, 1, 20, 0, 32, 0, 253, 19, 32, 1, 253, 19, 32, 2, 253, 19, 253, 133, 2, 253, 31, 0, 11,
];
// One shared memory, one function: i32.const 0, i32.atomic.load, drop, end.
const THREADS = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 5, 4, 1, 3, 1, 1, 10, 11, 1, 9, 0, 65, 0, 254,
  16, 2, 0, 26, 11,
];

const valid = (bytes: number[]) =>
  typeof WebAssembly !== "undefined" && WebAssembly.validate(new Uint8Array(bytes));

/** Whether this runtime compiles SIMD, without which there is no core. */
export const simdWorks = (): boolean => valid(SIMD);

/** Whether it compiles relaxed SIMD: fused multiply-add, in the relaxed builds of the core. */
export const relaxedSimdWorks = (): boolean => valid(RELAXED_SIMD);

/**
 * Whether relaxed SIMD multiplies and adds in one step here. Some engines compile it to two (JavaScriptCore on x86, others on
 * processors without such an instruction): then it rounds as the plain builds do, and is slower than they are.
 */
export function fusedMultiplyAddWorks(): boolean {
  fused ??= fuses();
  return fused;
}

let fused: boolean | undefined;

function fuses(): boolean {
  if (!relaxedSimdWorks()) return false;
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(MULTIPLY_ADD)));
    // The square has more digits than float32, and only one step keeps the last of them.
    const x = 1 + 2 ** -12;
    return (exports.f as (a: number, b: number, c: number) => number)(x, x, -Math.fround(x * x)) !== 0;
  } catch {
    // A policy that forbids it will forbid the core as well, which says so.
    return false;
  }
}

/** Whether it compiles atomic instructions. */
export const atomicsWork = (): boolean => valid(THREADS);

/** Whether this runtime lets a WebAssembly memory be shared between agents. */
export function sharedMemoryWorks(): boolean {
  if (typeof SharedArrayBuffer === "undefined") return false;
  try {
    return (
      new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer instanceof SharedArrayBuffer
    );
  } catch {
    // Refused, as on pages that are not cross-origin isolated.
    return false;
  }
}
