import type * as ort from "onnxruntime-web";

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

const SCRIPT = "ort-wasm-simd-threaded.mjs";

/**
 * Loads the factory of onnxruntime-web's runtime without starting it. Its threads run the same script again, so
 * that it must be a file of its own and no part of a bundle.
 *
 * @param prefix URL that ends in a slash
 * @throws Error when there is none, or the script is not there.
 */
export async function loadRuntimeFactory(prefix: string | undefined): Promise<RuntimeFactory> {
  if (prefix === undefined) throw new Error("no runtimeFiles given");
  const url = new URL(prefix + SCRIPT, location.href);
  // A worker of another origin's script is refused, one of a blob is not.
  const local = url.origin === location.origin ? url.href : await fetchAsBlob(url.href);
  const script = (await import(/* @vite-ignore */ /* webpackIgnore: true */ local)) as {
    default: RuntimeFactory;
  };
  const wasm = (file: string) => new URL(prefix + file, location.href).href;
  return (config) => script.default({ ...config, locateFile: wasm });
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
