import type { Core } from "../core/core.ts";
import type { Pointer } from "../core/core-exports.ts";
import { DTYPES, type Dtype } from "./dtype.ts";
import { readName } from "./memory-name.ts";

/** What a pool's header says of it, see assembly/pools/layout.ts. */
export interface PoolDescription<D extends Dtype = Dtype> {
  name: string;
  dtype: D;
  shape: readonly number[];
  /** Bytes of one buffer as asked for. */
  bytes: number;
  initial: number;
  max: number;
  zeroOnRelease: boolean;
  /** 0 off, 1 counts, 2 times. */
  level: number;
  /** Whether buffers keep their addresses for good. */
  pinned: boolean;
}

const HEADER_WORDS = 13;
const ZERO_ON_RELEASE = 1;
const LEVEL_SHIFT = 1;
const LEVEL_MASK = 3;
const PINNED = 8;

/** Reads the header of the pool at an address. */
export function readDescription(core: Core, pool: Pointer): PoolDescription {
  const header = new Uint32Array(core.buffer, core.exports.poolHeader(pool) >>> 0, HEADER_WORDS);
  const [, bytes, , initial, max, flags, dtype, rank] = header as unknown as number[];
  return {
    name: readName(core, core.exports.poolName(pool), header[12]!),
    dtype: DTYPES[dtype!]!,
    shape: [...header.subarray(8, 8 + rank!)],
    bytes: bytes!,
    initial: initial!,
    max: max!,
    zeroOnRelease: (flags! & ZERO_ON_RELEASE) !== 0,
    level: (flags! >>> LEVEL_SHIFT) & LEVEL_MASK,
    pinned: (flags! & PINNED) !== 0,
  };
}

/** Bytes that a buffer takes: whole cache lines. */
export function grantedBytes(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

/** The flags word of a pool. */
export function poolFlags(zeroOnRelease: boolean, level: number, pinned: boolean): number {
  return (zeroOnRelease ? ZERO_ON_RELEASE : 0) | (level << LEVEL_SHIFT) | (pinned ? PINNED : 0);
}
