import { InvalidArgumentError } from "../../core/errors.ts";
import { type Blocks, type Lent, UPLOAD_BLOCK } from "./blocks.ts";
import type { Gate, GateWait } from "./gate.ts";

/** A file on its way in, held once, in pooled pieces, until its request is over. */
export interface Upload {
  /** Bytes so far. */
  readonly size: number;
  /** The pieces, the last one not full. */
  readonly pieces: Uint8Array[];
  /**
   * Copies bytes in.
   *
   * @throws InvalidArgumentError beyond the size that room was made for.
   */
  append(bytes: Uint8Array): void;
  /** Gives the room back that was not needed. */
  complete(): void;
  /** Gives everything back. Further calls do nothing. */
  release(): void;
}

/**
 * Makes room for an upload, in order of arrival. All of it at once: two uploads that each wait for what the other holds would
 * never end.
 *
 * @param most bytes that may come
 * @throws BusyError when there is no room in time; the signal's reason.
 */
export async function openUpload(room: Gate, blocks: Blocks, most: number, wait: GateWait): Promise<Upload> {
  const reserved = Math.max(1, Math.ceil(most / UPLOAD_BLOCK));
  const leave = await room.enter(reserved, wait);
  const lent: Lent<Uint8Array>[] = [];
  let size = 0;
  let open = true;
  return {
    get size() {
      return size;
    },
    get pieces() {
      return lent.map(({ view }) => view);
    },
    append(bytes) {
      if (!open || size + bytes.length > reserved * UPLOAD_BLOCK) {
        throw new InvalidArgumentError(`the upload takes ${most} bytes; make room for more`);
      }
      let taken = 0;
      while (taken < bytes.length) {
        const at = size % UPLOAD_BLOCK;
        if (at === 0) lent.push(blocks.upload());
        const part = bytes.subarray(taken, taken + UPLOAD_BLOCK - at);
        lent[lent.length - 1]!.view.set(part, at);
        taken += part.length;
        size += part.length;
      }
    },
    complete() {
      leave(reserved - Math.max(1, lent.length));
    },
    release() {
      if (!open) return;
      open = false;
      for (const block of lent.splice(0)) block.release();
      leave();
    },
  };
}
