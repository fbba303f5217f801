/** The thread that runs the model: sound in blocks comes in, segments go out. */
import { threadHost } from "../../adapters/threads.node.ts";
import { attachCore } from "../../core/attach-core.ts";
import { type PostedError, postedError, revivedError } from "../../core/posted-error.ts";
import { createTranscriber, type Transcriber } from "../../transcription/transcriber.ts";
import type { Transcription } from "../../transcription/transcription.ts";
import type { TextReply, TextRequest, TextThreadData } from "./messages.ts";

const RATE = 16000;
const host = threadHost();
const { core: handle, options } = host.data as TextThreadData;
const post = (reply: TextReply) => host.post(reply);

/** A thread's console is the process's stdout, where the log goes. */
console.error = console.warn = console.log = console.info = () => undefined;

interface Job {
  abort: AbortController;
  /** Blocks that have come and not been read. */
  blocks: { index: number; count: number }[];
  ended: boolean;
  error: PostedError | undefined;
  wake: () => void;
}
const jobs = new Map<number, Job>();

/** The sound of a job, block by block; a block is free again once the next is asked for. */
async function* sound(id: number, job: Job, ring: Float32Array[]): AsyncGenerator<Float32Array> {
  while (true) {
    while (job.blocks.length === 0) {
      if (job.error) throw revivedError(job.error);
      if (job.ended || job.abort.signal.aborted) return;
      await new Promise<void>((resolve) => {
        job.wake = resolve;
      });
    }
    const { index, count } = job.blocks.shift()!;
    yield ring[index]!.subarray(0, count);
    post({ type: "free", id, index });
  }
}

async function transcribe(
  transcriber: Transcriber,
  request: Extract<TextRequest, { type: "transcribe" }>,
  job: Job,
): Promise<void> {
  const { id, ring } = request;
  try {
    const segments = transcriber.stream(sound(id, job, ring), {
      ...request.options,
      sampleRate: RATE,
      signal: job.abort.signal,
    });
    let result: Transcription | undefined;
    while (result === undefined) {
      const { done, value } = await segments.next();
      if (done) result = value;
      else if (request.segments) post({ type: "segment", id, segment: value });
    }
    jobs.delete(id);
    post({ type: "done", id, result });
  } catch (error) {
    jobs.delete(id);
    post({ type: "error", id, error: postedError(error) });
  }
}

function serve(transcriber: Transcriber): void {
  host.onMessage((message) => {
    const request = message as TextRequest;
    if (request.type === "close") {
      for (const { abort } of jobs.values()) abort.abort(new Error("the service ends"));
      void transcriber.dispose().finally(() => post({ type: "closed" }));
      return;
    }
    if (request.type === "transcribe") {
      const job: Job = {
        abort: new AbortController(),
        blocks: [],
        ended: false,
        error: undefined,
        wake: () => {},
      };
      jobs.set(request.id, job);
      void transcribe(transcriber, request, job);
      return;
    }
    const job = jobs.get(request.id);
    if (!job) return;
    if (request.type === "block") job.blocks.push(request);
    else if (request.type === "end") {
      job.ended = true;
      job.error = request.error;
    } else job.abort.abort(new Error("the client hung up"));
    job.wake();
  });
}

try {
  const transcriber = await createTranscriber({ ...options, core: attachCore(handle) });
  const { model, languages } = transcriber;
  serve(transcriber);
  post({ type: "ready", model: { name: model.name, languages } });
} catch (error) {
  post({ type: "failed", error: postedError(error) });
}
