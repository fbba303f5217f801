import { type Command, Option } from "commander";
import { InvalidArgumentError } from "../core/errors.ts";
import { type DtypeChoice, MODEL_DTYPES } from "../models/model-dtype.ts";
import { DEFAULT_MODEL } from "../models/model-files.ts";
import type { ServiceOptions } from "../server/options.ts";

/** The flags of `wavepool serve` as commander gives them. */
export interface ServeFlags {
  port: number;
  host: string;
  model: string;
  language?: string;
  runtime?: "wasm" | "native";
  threads?: number;
  models?: number;
  dtype?: DtypeChoice;
  offline?: boolean;
  concurrency?: number;
  queue?: number;
  memory?: number;
  maxUpload?: number;
  maxDuration?: number;
  rateLimit?: number;
  apiKey?: string[];
  cors?: string[];
  encoderThread?: boolean;
  pools: boolean;
}

const UNITS: Record<string, number> = {
  "": 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
};

/** Bytes of a size such as 100MB or 1GiB. */
export function bytes(flag: string) {
  return (text: string): number => {
    const [, number, unit] = text.match(/^(\d{1,12}(?:\.\d{1,3})?) ?([kmg]i?b)?$/i) ?? [];
    if (number !== undefined) return Math.floor(Number(number) * UNITS[unit?.toUpperCase() ?? ""]!);
    throw new InvalidArgumentError(`${flag} is ${JSON.stringify(text)}; give a size such as 100MB`);
  };
}

/** Seconds of a time such as 90s, 30m or 2h. */
export function seconds(flag: string) {
  return (text: string): number => {
    const [, number, unit] = text.match(/^(\d{1,9})(s|m|h)?$/) ?? [];
    if (number !== undefined) return Number(number) * { s: 1, m: 60, h: 3600 }[unit ?? "s"]!;
    throw new InvalidArgumentError(`${flag} is ${JSON.stringify(text)}; give a time such as 90s, 30m or 2h`);
  };
}

function integer(flag: string, least: number) {
  return (text: string): number => {
    if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
    throw new InvalidArgumentError(`${flag} is ${JSON.stringify(text)}; give an integer of ${least} or more`);
  };
}

const several = (value: string, before: string[] = []) => [...before, value];

/** Adds `wavepool serve` to the program. */
export function addServeCommand(program: Command, action: (flags: ServeFlags) => Promise<void>): void {
  program
    .command("serve")
    .description("answer the OpenAI API's speech requests over HTTP until SIGTERM or Ctrl-C")
    .option("--port <n>", "port to listen at; 0 for any", integer("--port", 0), 8080)
    .option("--host <address>", "address to listen at", "127.0.0.1")
    .option("--model <name|dir>", "tiny, base, or a directory in Hugging Face's ONNX layout", DEFAULT_MODEL)
    .option("--language <code>", "language of requests that name none (default: found out)")
    .addOption(
      new Option("--runtime <name>", "wasm (default), or native by onnxruntime-node").choices([
        "wasm",
        "native",
      ]),
    )
    .option("--threads <n>", "threads that a model runs on", integer("--threads", 1))
    .option("--models <n>", "threads that each load the model and share the requests", integer("--models", 1))
    .addOption(new Option("--dtype <type>", "type of the weights").choices(["auto", ...MODEL_DTYPES]))
    .option("--offline", "never download a model")
    .option("--concurrency <n>", "requests worked on at once (default: 8)", integer("--concurrency", 1))
    .option("--queue <n>", "requests that wait beyond those (default: 32)", integer("--queue", 0))
    .option("--memory <size>", "memory of all buffers (default: 768MiB)", bytes("--memory"))
    .option("--max-upload <size>", "largest file (default: 100MB)", bytes("--max-upload"))
    .option("--max-duration <time>", "longest sound (default: 4h)", seconds("--max-duration"))
    .option("--rate-limit <n>", "requests a minute and client", integer("--rate-limit", 1))
    .option("--api-key <key>", "key that clients bear, also several; better in WAVEPOOL_API_KEY", several)
    .option("--cors <origin>", "origin that browsers may call from, also several, or *", several)
    .option("--encoder-thread", "encode one request's window on a thread of its own while another is decoded")
    .option("--no-pools", "fresh arrays for each request, to measure the difference")
    .action(action);
}

/** What the flags ask of the service. Keys come from the environment too, where other users do not see them. */
export function serviceRequest(flags: ServeFlags, environmentKeys: string | undefined): ServiceOptions {
  const fromEnvironment = environmentKeys?.split(",").map((key) => key.trim()) ?? [];
  const keys = [...(flags.apiKey ?? []), ...fromEnvironment.filter(Boolean)];
  if (environmentKeys && keys.length === 0) {
    throw new InvalidArgumentError(
      "WAVEPOOL_API_KEY has no key in it; give keys separated by commas, or unset it",
    );
  }
  const given: ServiceOptions = {
    model: flags.model,
    language: flags.language,
    threads: flags.threads,
    models: flags.models,
    dtype: flags.dtype,
    offline: flags.offline,
    concurrency: flags.concurrency,
    queue: flags.queue,
    memoryBytes: flags.memory,
    maxUploadBytes: flags.maxUpload,
    maxSeconds: flags.maxDuration,
    rateLimit: flags.rateLimit,
    cors: flags.cors,
    // Where a graph fails on it, Wasm takes over, and the log says so.
    providers: flags.runtime === "native" ? ["native", "wasm"] : ["wasm"],
    encoderThread: flags.encoderThread,
    pools: flags.pools,
    apiKeys: keys,
  } as ServiceOptions;
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
