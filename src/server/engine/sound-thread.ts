/** The thread that decodes one upload at a time to mono at 16 kHz. It may be killed at any moment. */
import type { OpenFile } from "../../adapters/adapter.ts";
import { threadHost } from "../../adapters/threads.node.ts";
import { openSound } from "../../audio/sound-source.ts";
import { attachCore } from "../../core/attach-core.ts";
import { postedError } from "../../core/posted-error.ts";
import { UPLOAD_BLOCK } from "./blocks.ts";
import { type SoundReply, type SoundRequest, type SoundThreadData, SoundTooLongError } from "./messages.ts";

const RATE = 16000;
const host = threadHost();
const core = attachCore((host.data as SoundThreadData).core);
const post = (reply: SoundReply) => host.post(reply);

/** Codecs report damage on the console as well as in their results. */
console.error = console.warn = console.log = console.info = () => undefined;

interface Job {
  id: number;
  free: number[];
  /** Wakes the loop that waits for a free block. */
  wake: () => void;
  abort: AbortController;
}
let job: Job | undefined;

host.onMessage((message) => {
  const request = message as SoundRequest;
  if (request.type === "decode") void decode(request);
  else if (job === undefined || request.id !== job.id) return;
  else if (request.type === "stop") job.abort.abort(new Error("stopped"));
  else job.free.push(request.index);
  job?.wake();
});

async function decode(request: Extract<SoundRequest, { type: "decode" }>): Promise<void> {
  const { id, ring, maxSeconds } = request;
  const abort = new AbortController();
  const own: Job = { id, free: ring.map((_, i) => i), wake: () => {}, abort };
  job = own;
  let over: SoundReply = { type: "over", id };
  try {
    const file = openPieces(request.blocks, request.size);
    const reader = await openSound(core, file, {
      targetRate: RATE,
      maxHeldBytes: request.size,
      signal: abort.signal,
    });
    try {
      if ((reader.duration ?? 0) > maxSeconds) throw tooLong(reader.duration!, maxSeconds);
      while (true) {
        while (own.free.length === 0 && !abort.signal.aborted) {
          await new Promise<void>((resolve) => {
            own.wake = resolve;
          });
        }
        abort.signal.throwIfAborted();
        const index = own.free.shift()!;
        const count = await reader.read(ring[index]!);
        if (reader.position > maxSeconds * RATE) throw tooLong(reader.position / RATE, maxSeconds);
        if (count > 0) post({ type: "block", id, index, count });
        if (count < ring[index]!.length) break;
      }
    } finally {
      await reader.close();
    }
  } catch (error) {
    const posted = postedError(error);
    // What our own calls refuse here, such as samples out of range, came out of the file.
    const code = posted.code === "invalid-argument" ? "audio-format" : posted.code;
    over = { type: "over", id, error: { ...posted, code } };
  }
  job = undefined;
  post(over);
}

function tooLong(seconds: number, most: number): SoundTooLongError {
  return new SoundTooLongError(
    `the sound is longer than ${most} s (${Math.floor(seconds)} s or more); cut it into shorter files`,
  );
}

/** The pieces of an upload as a file, which codecs read in any order. */
function openPieces(pieces: readonly Uint8Array[], size: number): OpenFile {
  let position = 0;
  /** Copies, for codecs and decoders of text refuse views on shared memory. */
  const copy = (from: number, into: Uint8Array): number => {
    let done = 0;
    while (done < into.length && from + done < size) {
      const at = from + done;
      const offset = at % UPLOAD_BLOCK;
      const end = Math.min(UPLOAD_BLOCK, offset + into.length - done, offset + size - at);
      into.set(pieces[Math.floor(at / UPLOAD_BLOCK)]!.subarray(offset, end), done);
      done += end - offset;
    }
    return done;
  };
  return {
    size,
    async next(view) {
      const count = copy(position, view);
      position += count;
      return count;
    },
    async readAt(at, length) {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - at)));
      copy(at, bytes);
      return bytes;
    },
    async close() {},
  };
}
