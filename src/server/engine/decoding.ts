import { type PostedError, postedError, revivedError } from "../../core/posted-error.ts";
import { type SoundReply, SoundUnsafeError, type TextRequest } from "./messages.ts";
import type { SoundThread, SoundThreads } from "./sound-threads.ts";
import type { Upload } from "./upload.ts";

/** Milliseconds that a thread has to answer a stop before it is killed. */
const STOP_TIMEOUT = 1000;

/** An upload that is being decoded. */
export interface Decoding {
  /** What went wrong, once the model's thread was told. */
  readonly error: Error | undefined;
  /** A block is free again. */
  free(index: number): void;
  /** Stops it if it is not over; resolves when the thread touches nothing that was lent. */
  end(): Promise<void>;
}

/** What decoding needs. */
export interface DecodingParts {
  id: number;
  sounds: SoundThreads;
  upload: Pick<Upload, "pieces" | "size">;
  /** Blocks on shared memory, ours until `end()` has resolved. */
  ring: Float32Array[];
  maxSeconds: number;
  /** Milliseconds that the next block may take before the thread is killed. */
  decodeTimeout: number;
  /** Told of each block that is full, and of the end. */
  text: (request: Extract<TextRequest, { type: "block" | "end" }>) => void;
}

/**
 * Has a thread decode an upload to mono at 16 kHz. It fills the blocks that are free, and waits for `free()` when none is. A thread
 * that gets nowhere is killed; the end says so then, and nothing else notices.
 */
export async function startDecoding(parts: DecodingParts): Promise<Decoding> {
  const { id, text, sounds, upload, ring, maxSeconds, decodeTimeout } = parts;
  const thread: SoundThread = await sounds.take();
  let free = ring.length;
  let over = false;
  let ending = false;
  let killing: Promise<void> | undefined;
  let error: Error | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let settle = () => {};

  function finish(posted: PostedError | undefined): void {
    over = true;
    clearTimeout(timer);
    if (posted) error = revivedError(posted);
    text({ type: "end", id, ...(posted && { error: posted }) });
    settle();
  }

  function kill(reason: string): void {
    killing ??= sounds.kill(thread);
    finish(postedError(new SoundUnsafeError(reason)));
  }

  /** Runs while the thread has a block to fill: a thread that waits for the model is not slow. */
  function watch(): void {
    if (ending) return; // the stop has a timer of its own
    clearTimeout(timer);
    if (over || free === 0) return;
    timer = setTimeout(() => {
      kill(`decoding the sound got nowhere for ${decodeTimeout / 1000} s; check the file`);
    }, decodeTimeout);
  }

  thread.listen((reply: SoundReply | Error) => {
    if (over) return;
    if (reply instanceof Error) {
      killing = Promise.resolve();
      finish(postedError(reply));
    } else if (reply.id !== id) return;
    else if (reply.type === "block") {
      free--;
      watch();
      text(reply);
    } else {
      sounds.put(thread);
      finish(reply.error);
    }
  });
  thread.post({ type: "decode", id, blocks: upload.pieces, size: upload.size, ring, maxSeconds });
  watch();

  return {
    get error() {
      return error;
    },
    free(index) {
      if (over) return;
      free++;
      watch();
      thread.post({ type: "free", id, index });
    },
    async end() {
      if (!over) {
        ending = true;
        thread.post({ type: "stop", id });
        await new Promise<void>((resolve) => {
          settle = resolve;
          clearTimeout(timer);
          timer = setTimeout(() => kill("the request is over"), STOP_TIMEOUT);
        });
      }
      await killing;
    },
  };
}
