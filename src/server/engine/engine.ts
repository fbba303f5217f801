import type { Core } from "../../core/core.ts";
import { createCore } from "../../core/create-core.ts";
import { InvalidArgumentError } from "../../core/errors.ts";
import { type PoolStatistics, poolStatistics } from "../../pools/pool-statistics.ts";
import type { Segment, Transcription } from "../../transcription/transcription.ts";
import { type Blocks, freshBlocks, pooledBlocks, UPLOAD_BLOCK } from "./blocks.ts";
import { createGate, type GateWait } from "./gate.ts";
import { runJob } from "./job.ts";
import { type JobOptions, type ModelOptions, type ServedModel, ThreadLostError } from "./messages.ts";
import { createSoundThreads, SOUND_THREAD_BYTES } from "./sound-threads.ts";
import { startTextModels } from "./text-models.ts";
import { openUpload, type Upload } from "./upload.ts";

/** How to make an engine. */
export interface EngineOptions {
  /** What the model's threads make their transcribers of. */
  model: ModelOptions;
  /** Threads that each load the model and share the requests. */
  models: number;
  /** Requests that are worked on at once; their windows take turns. */
  concurrency: number;
  /** Bytes of all pooled memory: uploads, sound, windows. */
  memoryBytes: number;
  /** Bytes of the largest upload, for which there has to be room. */
  maxUploadBytes: number;
  /** Seconds of the longest sound. */
  maxSeconds: number;
  /** Milliseconds that decoding the next second of sound may take. */
  decodeTimeout: number;
  /** Whether uploads and sound lie in pools; `false` takes fresh arrays, to measure the difference. */
  pools?: boolean;
}

/** What a caller wants of a transcription beside its options. */
export interface EngineCall {
  signal?: AbortSignal | undefined;
  /** Whether segments are given as they come; without, the call can be done again when a thread dies under it. */
  segments: boolean;
  /** Milliseconds to wait for a turn. */
  timeout: number;
  /** Told once the turn has come. */
  onBegin?: () => void;
}

/** Pools of one core. */
export interface CorePools {
  /** Where they are: "exchange" (uploads and sound on their way), "model" or "sound". */
  readonly place: "exchange" | "model" | "sound";
  readonly core: Core;
}

/** How the engine does. */
export interface EngineStatistics {
  /** Whether the model is loaded, and by how many of its threads. */
  ready: boolean;
  modelsLoaded: number;
  models: number;
  running: number;
  waiting: number;
  concurrency: number;
  /** Bytes of uploads that are held or reserved, and those that can be. */
  uploadBytes: number;
  maxUploadBytes: number;
  uploadsWaiting: number;
  /** Threads that died or were killed, and calls that were begun again for it. */
  modelThreadsReplaced: number;
  soundThreadsReplaced: number;
  retries: number;
}

/** Speech to text on threads of its own: nothing here computes on the caller's. */
export interface SpeechEngine {
  /** The model; undefined while it loads, also anew. */
  readonly model: ServedModel | undefined;
  /** Resolves when the model is loaded; throws why it cannot be. */
  ready(): Promise<ServedModel>;
  /** Makes room for a file of at most so many bytes; see {@link openUpload}. */
  receive(most: number, wait: GateWait): Promise<Upload>;
  /**
   * Transcribes an upload, which stays the caller's to release once the generator is done. Ending the loop early, or the
   * signal, stops the work within a decoding step; every buffer is back when the generator has ended.
   *
   * A call whose thread dies is done once more if nothing was given yet.
   *
   * @throws BusyError when no turn comes in time; WavepoolErrors by their `code`; the signal's reason.
   */
  transcribe(
    upload: Upload,
    options: JobOptions,
    call: EngineCall,
  ): AsyncGenerator<Segment, Transcription, void>;
  stats(): EngineStatistics;
  pools(): CorePools[];
  /** Leases that are out while no call is at work: none, if nothing has leaked. */
  leaks(): { place: string; pool: string; leases: number }[];
  /** Ends the threads; calls at work have so many milliseconds. */
  close(timeout: number): Promise<void>;
  /** Ends the model's busiest thread as a crash would, for tests. */
  killModelThread(): Promise<void>;
}

const MIB = 1024 * 1024;
/** A model's core: windows, decoder and the silence tail, and a ring of a minute a call. */
const modelBytes = (concurrency: number) => (32 + 8 * concurrency) * MIB;
/** Times that a call is begun anew. */
const RETRIES = 1;

/**
 * Makes an engine and begins to load its model.
 *
 * @throws InvalidArgumentError when `memoryBytes` has no room for one upload.
 */
export async function createSpeechEngine(options: EngineOptions): Promise<SpeechEngine> {
  const { concurrency, memoryBytes, maxUploadBytes, maxSeconds, decodeTimeout } = options;
  const { models } = options;
  const others = models * modelBytes(Math.ceil(concurrency / models)) + SOUND_THREAD_BYTES * concurrency;
  const needed = others + Math.ceil(maxUploadBytes / UPLOAD_BLOCK + 8 * concurrency) * UPLOAD_BLOCK + MIB;
  if (memoryBytes < needed) {
    throw new InvalidArgumentError(
      `memory is ${memoryBytes} bytes; ${models} models and ${concurrency} requests at once with uploads of ${maxUploadBytes} bytes take ${needed}: give more memory, or less of the others`,
    );
  }
  const exchange = await createCore({ memoryBytes: memoryBytes - others, threads: true });
  const pooled = options.pools ?? true;
  const blocks: Blocks = pooled
    ? pooledBlocks(exchange, concurrency)
    : freshBlocks(memoryBytes - others - 2 * MIB);
  const room = createGate(Math.floor(blocks.uploadBytes / UPLOAD_BLOCK), "room for the upload");
  const turns = createGate(concurrency, "a turn");
  const texts = startTextModels(options.model, models, concurrency, modelBytes);
  const sounds = createSoundThreads();
  let lastId = 0;
  let retries = 0;

  async function* transcribe(
    upload: Upload,
    jobOptions: JobOptions,
    { signal, segments, timeout, onBegin }: EngineCall,
  ): AsyncGenerator<Segment, Transcription, void> {
    const leave = await turns.enter(1, { timeout, signal });
    try {
      onBegin?.();
      for (let left = RETRIES; ; left--) {
        let given = false;
        const text = texts.take();
        const job = runJob({
          id: ++lastId,
          text,
          sounds,
          blocks,
          upload,
          options: jobOptions,
          maxSeconds,
          decodeTimeout,
          segments,
          signal,
        });
        try {
          while (true) {
            const { done, value } = await job.next();
            if (done) return value;
            given = true;
            yield value;
          }
        } catch (error) {
          if (!(error instanceof ThreadLostError) || given || left === 0) throw error;
          retries++;
        } finally {
          await job.return(undefined as never);
          texts.put(text);
        }
      }
    } finally {
      leave();
    }
  }

  const pools = (): CorePools[] => [
    { place: "exchange", core: exchange },
    ...texts.cores.map((core) => ({ place: "model" as const, core })),
    ...sounds.cores.map((core) => ({ place: "sound" as const, core })),
  ];

  return {
    get model() {
      return texts.model;
    },
    ready: () => texts.ready(),
    receive: (most, wait) => openUpload(room, blocks, most, wait),
    transcribe,
    pools,
    stats: () => ({
      ready: texts.loaded > 0,
      modelsLoaded: texts.loaded,
      models,
      running: turns.used,
      waiting: turns.waiting,
      concurrency,
      uploadBytes: room.used * UPLOAD_BLOCK,
      maxUploadBytes: room.capacity * UPLOAD_BLOCK,
      uploadsWaiting: room.waiting,
      modelThreadsReplaced: texts.replaced,
      soundThreadsReplaced: sounds.replaced,
      retries,
    }),
    leaks() {
      if (turns.used > 0 || room.used > 0) return [];
      return pools().flatMap(({ place, core }) => heldIn(place, poolStatistics(core)));
    },
    async close(timeout) {
      await texts.close(timeout);
      await sounds.close();
    },
    killModelThread: () => texts.kill(),
  };
}

function heldIn(place: string, pools: readonly PoolStatistics[]) {
  return pools
    .filter(({ inUse }) => inUse > 0)
    .map(({ name, inUse }) => ({ place, pool: name, leases: inUse }));
}
