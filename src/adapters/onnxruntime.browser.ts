import type * as ort from "onnxruntime-web";
import type { RuntimeFiles } from "./runtime-files.ts";

/** The entry of the Wasm provider alone: its .wasm has 14 MB where the default one has 28. */
export * from "onnxruntime-web/wasm";

/** Execution providers of wavepool that are tried here unless the caller names others, best first. */
export const DEFAULT_PROVIDERS = ["webnn", "webgpu", "wasm"] as const;

/** What the builds of onnxruntime-web have in common. */
export type Runtime = Pick<typeof ort, "InferenceSession" | "Tensor" | "env">;

/** @throws Error always: browsers run no native code. */
export async function loadNativeRuntime(): Promise<Runtime> {
  throw new Error("browsers run no native code");
}

/** Loads the build of onnxruntime-web that has WebGPU and WebNN. */
export async function loadDeviceRuntime(): Promise<Runtime> {
  return await import("onnxruntime-web/webgpu");
}

/** Emscripten's factory of onnxruntime-web's runtime. */
export type RuntimeFactory = (config: object) => Promise<unknown>;

/**
 * Where a bundler that knows files by `new URL(…, import.meta.url)` (Vite, webpack) put those of the installed package; with
 * others these lead nowhere. Each is written out, for bundlers read them.
 *
 * @throws TypeError in a script without a place, such as a worker of a blob.
 */
export function installedRuntimeFiles(): RuntimeFiles {
  return {
    mjs: new URL("onnxruntime-web/ort-wasm-simd-threaded.mjs", import.meta.url).href,
    wasm: new URL("onnxruntime-web/ort-wasm-simd-threaded.wasm", import.meta.url).href,
    device: {
      mjs: new URL("onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs", import.meta.url).href,
      wasm: new URL("onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm", import.meta.url).href,
    },
  };
}

/** A URL as the page would see it, also in a worker of a blob. */
function absolute(url: string): string {
  return new URL(url, location.protocol === "blob:" ? location.origin : location.href).href;
}

/** The files under a URL that ends in a slash. */
function filesUnder(prefix: string): RuntimeFiles {
  return { mjs: `${prefix}ort-wasm-simd-threaded.mjs`, wasm: `${prefix}ort-wasm-simd-threaded.wasm` };
}

/**
 * Loads the factory of onnxruntime-web's runtime without starting it. Its threads run the same script again, so
 * that it must be a file of its own and no part of a bundle.
 *
 * @param files URL that ends in a slash, or the files one by one; {@link installedRuntimeFiles} by default
 * @throws whatever import() throws when the script is not there.
 */
export async function loadRuntimeFactory(files?: string | RuntimeFiles): Promise<RuntimeFactory> {
  const found = typeof files === "string" ? filesUnder(files) : (files ?? installedRuntimeFiles());
  const [mjs, wasm] = [absolute(found.mjs), absolute(found.wasm)];
  // A worker of another origin's script is refused, one of a blob is not.
  const local = new URL(mjs).origin === location.origin ? mjs : await fetchAsBlob(mjs);
  const script = (await import(/* @vite-ignore */ /* webpackIgnore: true */ local)) as {
    default: RuntimeFactory;
  };
  return (config) => script.default({ ...config, locateFile: () => wasm });
}

async function fetchAsBlob(url: string): Promise<string> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  const source = await response.blob();
  return URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
}

/** A URL that imports as the given source. */
export function moduleUrl(source: string): string {
  return URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
}
