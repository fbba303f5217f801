/**
 * Loads, stores and read-modify-write on memory that several agents share.
 *
 * The threads build uses Wasm's atomic instructions, which are all sequentially consistent; no weaker
 * ones exist, and on x86-64 and Armv8.1 a weaker order would cost the same. The plain build has one agent,
 * so that ordinary loads and stores do. Comments at the call sites say which order the algorithm needs.
 */

// @ts-ignore: decorator
@inline export function load32(address: usize): u32 {
  if (ASC_FEATURE_THREADS) return atomic.load<u32>(address);
  return load<u32>(address);
}

// @ts-ignore: decorator
@inline export function load64(address: usize): u64 {
  if (ASC_FEATURE_THREADS) return atomic.load<u64>(address);
  return load<u64>(address);
}

// @ts-ignore: decorator
@inline export function store32(address: usize, value: u32): void {
  if (ASC_FEATURE_THREADS) atomic.store<u32>(address, value);
  else store<u32>(address, value);
}

// @ts-ignore: decorator
@inline export function store64(address: usize, value: u64): void {
  if (ASC_FEATURE_THREADS) atomic.store<u64>(address, value);
  else store<u64>(address, value);
}

/** Replaces `expected` by `value`. Returns what was there: the exchange happened if that is `expected`. */
// @ts-ignore: decorator
@inline export function cas32(address: usize, expected: u32, value: u32): u32 {
  if (ASC_FEATURE_THREADS) return atomic.cmpxchg<u32>(address, expected, value);
  const seen = load<u32>(address);
  if (seen == expected) store<u32>(address, value);
  return seen;
}

/** As cas32, for 64 bits. */
// @ts-ignore: decorator
@inline export function cas64(address: usize, expected: u64, value: u64): u64 {
  if (ASC_FEATURE_THREADS) return atomic.cmpxchg<u64>(address, expected, value);
  const seen = load<u64>(address);
  if (seen == expected) store<u64>(address, value);
  return seen;
}

/** Adds (with wrap-around, so that a negative delta subtracts). Returns what was there before. */
// @ts-ignore: decorator
@inline export function add32(address: usize, delta: u32): u32 {
  if (ASC_FEATURE_THREADS) return atomic.add<u32>(address, delta);
  const before = load<u32>(address);
  store<u32>(address, before + delta);
  return before;
}

/** Replaces a byte. Returns what was there before. */
// @ts-ignore: decorator
@inline export function exchange8(address: usize, value: u8): u8 {
  if (ASC_FEATURE_THREADS) return atomic.xchg<u8>(address, value);
  const before = load<u8>(address);
  store<u8>(address, value);
  return before;
}

/** Wakes up to `count` agents that wait on `address`. */
// @ts-ignore: decorator
@inline export function notify(address: usize, count: i32): void {
  if (ASC_FEATURE_THREADS) atomic.notify(address, count);
}
