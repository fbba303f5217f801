import { pathToFileURL } from "node:url";
import type * as ort from "onnxruntime-web";
import type { RuntimeFiles } from "./runtime-files.ts";

/** The entry with threads outside browsers. */
export * from "onnxruntime-web";

/** Execution providers of wavepool that are tried here unless the caller names others, best first. */
export const DEFAULT_PROVIDERS = ["native", "wasm"] as const;

/** What onnxruntime-node and onnxruntime-web have in common. */
export type Runtime = Pick<typeof ort, "InferenceSession" | "Tensor" | "env">;

/**
 * Loads onnxruntime-node, an optional peer.
 *
 * @throws whatever import() throws when it is not installed or has no binary for this machine.
 */
export async function loadNativeRuntime(): Promise<Runtime> {
  return (await import("onnxruntime-node")) as unknown as Runtime;
}

/** Loads the build of onnxruntime-web that has WebGPU and WebNN. */
export async function loadDeviceRuntime(): Promise<Runtime> {
  return await import("onnxruntime-web/webgpu");
}

/** Outside browsers the installed package's files are found by import. @returns undefined always */
export function installedRuntimeFiles(): RuntimeFiles | undefined {
  return undefined;
}

/** Emscripten's factory of onnxruntime-web's runtime. */
export type RuntimeFactory = (config: object) => Promise<unknown>;

/** The runtime's script, in the package and under a prefix of the user's. */
const SCRIPT = "ort-wasm-simd-threaded.mjs";

/**
 * Loads the factory of onnxruntime-web's runtime without starting it.
 *
 * @param files directory or URL that ends in a slash, or the script's URL; the installed package by default
 * @throws whatever import() throws when it is not there.
 */
export async function loadRuntimeFactory(files?: string | RuntimeFiles): Promise<RuntimeFactory> {
  if (files === undefined) return (await import("onnxruntime-web/ort-wasm-simd-threaded.mjs")).default;
  const script = (await import(/* @vite-ignore */ scriptUrl(files))) as { default: RuntimeFactory };
  return script.default;
}

function scriptUrl(files: string | RuntimeFiles): string {
  if (typeof files !== "string") return files.mjs;
  return URL.canParse(files) ? files + SCRIPT : pathToFileURL(files + SCRIPT).href;
}

/** A URL that imports as the given source, in ASCII. Bun takes data URLs as modules in base64 only. */
export function moduleUrl(source: string): string {
  return `data:text/javascript;base64,${btoa(source)}`;
}
