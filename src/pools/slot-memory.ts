import type { Core } from "../core/core.ts";
import type { Pointer } from "../core/core-exports.ts";
import { type Dtype, type DtypeArrays, viewOf } from "./dtype.ts";

// Layout of handles and slot headers, see assembly/pools/layout.ts.
const INDEX_BITS = 12;
const INDEX_MASK = 4095;
const REFERENCES = 0xfff;
const GENERATION_SHIFT = 14;
/** Words between slot headers, and the place of the buffer's address in one. */
const SLOT_WORDS = 32;
const PAYLOAD_WORD = 2;

/** The index of the slot that a handle names. */
export function slotIndex(handle: number): number {
  return handle & INDEX_MASK;
}

/** What the host reads of a pool's slots without a call into Wasm. */
export interface SlotMemory<D extends Dtype> {
  /** The slot's typed array: made when the slot is first leased, and again when its buffer has moved. */
  viewAt(index: number): DtypeArrays[D];
  /** Byte offset of a slot's buffer. */
  offsetAt(index: number): number;
  /** Whether the tenancy of a handle lasts. */
  isAlive(handle: number): boolean;
}

/** Reads the slots of the pool at an address, whose buffers have `length` elements. */
export function slotMemory<D extends Dtype>(
  core: Core,
  pool: Pointer,
  dtype: D,
  length: number,
): SlotMemory<D> {
  const words = new Uint32Array(core.buffer);
  const payloads = (core.exports.poolPayloads(pool) >>> 0) / 4;
  const views: DtypeArrays[D][] = [];
  const offsets: number[] = [];
  const offsetAt = (index: number) => words[payloads + index * SLOT_WORDS]!;
  return {
    offsetAt,
    viewAt(index) {
      const offset = offsetAt(index);
      if (offsets[index] === offset) return views[index]!;
      const view = viewOf(dtype, core.buffer, offset, length);
      offsets[index] = offset;
      views[index] = view;
      return view;
    },
    isAlive(handle) {
      const word = words[payloads - PAYLOAD_WORD + slotIndex(handle) * SLOT_WORDS]!;
      return (word & REFERENCES) !== 0 && word >>> GENERATION_SHIFT === handle >>> INDEX_BITS;
    },
  };
}
