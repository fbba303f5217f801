import type { Core } from "../../core/core.ts";
import type { BufferPool } from "../../pools/buffer-pool.ts";
import { createBufferPool } from "../../pools/create-buffer-pool.ts";

/** Bytes of a piece of an upload. */
export const UPLOAD_BLOCK = 256 * 1024;
/** Samples of a block of sound on its way to the model: about a second. */
export const SOUND_BLOCK = 16384;
/** Blocks that one request's sound travels in. */
export const RING_BLOCKS = 4;
/** Pieces of an upload that are made at once for each request: what most files take. */
const UPLOAD_BLOCKS_READY = 4;
/** Slots that a pool can have, see createBufferPool. */
const MAX_SLOTS = 4096;

/** Bytes that a request holds of these pools: its upload, and the ring that its sound travels in. */
export function requestBytes({ pieces }: { readonly pieces: readonly unknown[] }): number {
  return pieces.length * UPLOAD_BLOCK + RING_BLOCKS * SOUND_BLOCK * 4;
}

/** A buffer that was lent, and how it goes back. */
export interface Lent<T> {
  readonly view: T;
  release(): void;
}

/** Where the buffers of requests come from; all lie on memory that threads share. */
export interface Blocks {
  /** Bytes of uploads that can be held at once. */
  readonly uploadBytes: number;
  upload(): Lent<Uint8Array>;
  sound(): Lent<Float32Array>;
}

/**
 * Makes the pools that uploads and sound lie in.
 *
 * @param core shared by threads
 * @param requests that have a ring at once
 */
export function pooledBlocks(core: Core, requests: number): Blocks {
  const sound: BufferPool<"f32"> = createBufferPool(core, {
    name: "sound",
    dtype: "f32",
    shape: SOUND_BLOCK,
    initial: RING_BLOCKS * requests,
    max: RING_BLOCKS * requests,
  });
  const left = core.freeBytes() - RING_BLOCKS * requests * SOUND_BLOCK * 4;
  const max = Math.max(1, Math.min(MAX_SLOTS, Math.floor(left / (UPLOAD_BLOCK + 1024))));
  const upload: BufferPool<"u8"> = createBufferPool(core, {
    name: "upload",
    dtype: "u8",
    shape: UPLOAD_BLOCK,
    initial: Math.min(max, UPLOAD_BLOCKS_READY * requests),
    max,
  });
  return {
    uploadBytes: max * UPLOAD_BLOCK,
    upload: () => upload.acquire(),
    sound: () => sound.acquire(),
  };
}

/** Fresh arrays for each request instead, to measure what pools gain. */
export function freshBlocks(uploadBytes: number): Blocks {
  const release = () => {};
  return {
    uploadBytes,
    upload: () => ({ view: new Uint8Array(new SharedArrayBuffer(UPLOAD_BLOCK)), release }),
    sound: () => ({ view: new Float32Array(new SharedArrayBuffer(SOUND_BLOCK * 4)), release }),
  };
}
