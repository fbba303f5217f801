import { adapter } from "#adapter";
import { InvalidArgumentError } from "../core/errors.ts";
import { MAX_THREADS } from "../inference/session.ts";
import type { ModelOptions } from "./engine/messages.ts";

/** How to run the service. */
export interface ServiceOptions extends ModelOptions {
  /**
   * Threads that each load the model and work on requests beside each other, with their part of the cores; each takes the memory
   * of its own weights. Default 1, from 8 cores on 2.
   */
  models?: number;
  /** Requests worked on at once; their windows take turns, so that a short one is not held up by long ones. Default 8. */
  concurrency?: number;
  /** Requests that wait beyond those; further ones get 429. Default 32. */
  queue?: number;
  /** Keys that clients have to bear; none by default. */
  apiKeys?: readonly string[];
  /** Bytes of the largest file. Default 100 MB. */
  maxUploadBytes?: number;
  /** Seconds of the longest sound. Default 4 hours. */
  maxSeconds?: number;
  /** Bytes of pooled memory in all: uploads, sound, windows; the model's weights and the runtime come on top. Default 768 MiB. */
  memoryBytes?: number;
  /** Requests a minute and client (key or address). No limit by default. */
  rateLimit?: number;
  /** Origins that browsers may call from, or "*". None by default. */
  cors?: readonly string[];
  /** Names that the model also goes by; "whisper-1" by default. */
  aliases?: readonly string[];
  /** Milliseconds that a request waits for room and for its turn. Default 60 s each. */
  waitTimeout?: number;
  /** Milliseconds without a byte of an upload, and for all of it. Default 20 s and 10 minutes. */
  idleTimeout?: number;
  uploadTimeout?: number;
  /** Milliseconds in which a client that streams has to take what is there, or its request ends. Default 60 s. */
  streamTimeout?: number;
  /** Milliseconds that decoding the next second of a sound may take before its thread is killed. Default 20 s. */
  decodeTimeout?: number;
  /** Whether uploads and sound lie in pools; `false` only to measure the difference. */
  pools?: boolean;
  /** Takes the lines of the log, of JSON; none by default. */
  log?: (line: string) => void;
}

/** Options with their defaults, those of the model apart. */
export interface ServiceSettings
  extends Required<Omit<ServiceOptions, keyof ModelOptions | "rateLimit" | "log">> {
  rateLimit: number | undefined;
  log: (line: string) => void;
  model: ModelOptions;
}

/** Cores from which on one model does not fill them: its decoder gains little from more than four threads. */
const CORES_FOR_TWO = 8;
/** Models that are loaded unless the options say how many. */
export const defaultModels = (cores: number): number => (cores >= CORES_FOR_TWO ? 2 : 1);
const MB = 1_000_000;
const MIB = 1024 * 1024;

/**
 * Fills defaults in and checks what would not show otherwise.
 *
 * @throws InvalidArgumentError naming the option and its value.
 */
export function serviceSettings(options: ServiceOptions): ServiceSettings {
  const {
    concurrency = 8,
    models = Math.min(concurrency, defaultModels(adapter.cores)),
    queue = 32,
    apiKeys = [],
    maxUploadBytes = 100 * MB,
    maxSeconds = 4 * 3600,
    memoryBytes = 768 * MIB,
    rateLimit,
    cors = [],
    aliases = ["whisper-1"],
    waitTimeout = 60_000,
    idleTimeout = 20_000,
    uploadTimeout = 600_000,
    streamTimeout = 60_000,
    decodeTimeout = 20_000,
    pools = true,
    log = () => {},
    ...model
  } = options;
  whole("concurrency", concurrency, 1, 64);
  whole("models", models, 1, 64);
  whole("queue", queue, 0, 100_000);
  whole("maxUploadBytes", maxUploadBytes, 1, 2 ** 31);
  whole("memoryBytes", memoryBytes, 1, 2 ** 32);
  for (const [name, value] of Object.entries({
    maxSeconds,
    waitTimeout,
    idleTimeout,
    uploadTimeout,
    streamTimeout,
    decodeTimeout,
  })) {
    if (!(typeof value === "number" && value > 0 && value <= 2 ** 31 - 1)) {
      throw new InvalidArgumentError(`${name} is ${value}; give a number above 0`);
    }
  }
  if (rateLimit !== undefined) whole("rateLimit", rateLimit, 1, 1_000_000);
  if (apiKeys.some((key) => key.trim() === "")) {
    throw new InvalidArgumentError("an API key is empty; give one, or leave it out");
  }
  if (models > concurrency) {
    throw new InvalidArgumentError(
      `models is ${models} and concurrency ${concurrency}; give no more models than requests worked on at once`,
    );
  }
  const threads = Math.max(1, Math.min(MAX_THREADS, Math.floor(adapter.cores / models)));
  return {
    models,
    concurrency,
    queue,
    apiKeys,
    maxUploadBytes,
    maxSeconds,
    memoryBytes,
    rateLimit,
    cors,
    aliases,
    waitTimeout,
    idleTimeout,
    uploadTimeout,
    streamTimeout,
    decodeTimeout,
    pools,
    log,
    // As the command line: onnxruntime-node only where it is asked for, for a thread that runs it cannot be replaced.
    model: { providers: ["wasm"], ...(models > 1 && { threads }), ...model },
  };
}

function whole(name: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new InvalidArgumentError(`${name} is ${value}; give a whole number from ${least} to ${most}`);
}
