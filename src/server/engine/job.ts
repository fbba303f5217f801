import { orAborted } from "../../audio/interruption.ts";
import { revivedError } from "../../core/posted-error.ts";
import type { Segment, Transcription } from "../../transcription/transcription.ts";
import { type Blocks, type Lent, RING_BLOCKS } from "./blocks.ts";
import { type Decoding, startDecoding } from "./decoding.ts";
import type { JobOptions } from "./messages.ts";
import type { SoundThreads } from "./sound-threads.ts";
import type { TextEvent, TextModel } from "./text-model.ts";
import type { Upload } from "./upload.ts";

/** What one attempt at a request needs. */
export interface JobParts {
  id: number;
  text: TextModel;
  sounds: SoundThreads;
  blocks: Blocks;
  upload: Upload;
  options: JobOptions;
  maxSeconds: number;
  /** Milliseconds that decoding the next block may take. */
  decodeTimeout: number;
  /** Whether segments are wanted as they come. */
  segments: boolean;
  signal: AbortSignal | undefined;
}

/**
 * One attempt: a thread decodes the upload into a ring of lent blocks, the model's thread reads them. Whoever waits for a
 * free block holds the other back. The leases are ours throughout and go back only when neither thread uses them any more, so
 * that a thread's death can lose none.
 *
 * @throws ThreadLostError when the model's thread dies; what decoding and transcribing throw, as WavepoolErrors; the signal's reason.
 */
export async function* runJob(parts: JobParts): AsyncGenerator<Segment, Transcription, void> {
  const { id, text, blocks, signal } = parts;
  signal?.throwIfAborted();
  await orAborted(text.ready(), signal);
  const ring: Lent<Float32Array>[] = [];
  const arrived: TextEvent[] = [];
  let wake = () => {};
  const stopListening = text.listen(id, (event) => {
    if (event.type === "free") decoding?.free(event.index);
    else {
      arrived.push(event);
      wake();
    }
  });
  let decoding: Decoding | undefined;
  /** Whether the model's thread has the job, and may be reading the ring. */
  let posted = false;
  const abort = () => text.post({ type: "abort", id });
  const next = async () => {
    while (arrived.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return arrived.shift()!;
  };
  try {
    for (let i = 0; i < RING_BLOCKS; i++) ring.push(blocks.sound());
    const views = ring.map(({ view }) => view);
    decoding = await startDecoding({ ...parts, ring: views, text: (request) => text.post(request) });
    signal?.throwIfAborted();
    if (arrived.length === 0) {
      text.post({ type: "transcribe", id, options: parts.options, ring: views, segments: parts.segments });
      posted = true;
    } // else the thread is lost already
    signal?.addEventListener("abort", abort, { once: true });
    while (true) {
      const event = await next();
      if (event.type === "segment") {
        yield event.segment;
        continue;
      }
      posted = false;
      signal?.throwIfAborted();
      if (event.type === "done") return event.result;
      if (event.type === "lost") throw event.error;
      if (event.type === "error") throw decoding.error ?? revivedError(event.error);
    }
  } finally {
    signal?.removeEventListener("abort", abort);
    if (posted) {
      abort();
      while ((await next()).type === "segment");
    }
    await decoding?.end();
    stopListening();
    for (const block of ring) block.release();
  }
}
