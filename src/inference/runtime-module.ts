import * as ort from "#onnxruntime";
import type { RuntimeFiles } from "../adapters/runtime-files.ts";
import { messageOf } from "../core/errors.ts";

/**
 * The part of onnxruntime-web's Wasm module that sessions in its heap use (lib/wasm/wasm-types.ts there). None
 * of it is public API: hence the list of versions below.
 */
export interface RuntimeModule {
  readonly HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  stringToUTF8(text: string, pointer: number, maxBytes: number): void;
  lengthBytesUTF8(text: string): number;
  UTF8ToString(pointer: number): string;
  getValue(pointer: number, type: "i32" | "*"): number;
  setValue(pointer: number, value: number, type: "i32" | "*"): void;
  _OrtGetLastError(code: number, message: number): number;
  _OrtCreateTensor(
    type: number,
    data: number,
    bytes: number,
    dims: number,
    rank: number,
    location: number,
  ): number;
  _OrtGetTensorData(tensor: number, type: number, data: number, dims: number, rank: number): number;
  _OrtReleaseTensor(tensor: number): number;
  _OrtFree(pointer: number): number;
  _OrtRun(
    session: number,
    inputNames: number,
    inputs: number,
    inputCount: number,
    outputNames: number,
    outputCount: number,
    outputs: number,
    options: number,
  ): number;
}

/** Versions of onnxruntime-web whose internals are as described above. */
const KNOWN_VERSIONS = ["1.30.0"];

const FUNCTIONS = [
  "_malloc",
  "_free",
  "stringToUTF8",
  "lengthBytesUTF8",
  "UTF8ToString",
  "getValue",
  "setValue",
  "_OrtGetLastError",
  "_OrtCreateTensor",
  "_OrtGetTensorData",
  "_OrtReleaseTensor",
  "_OrtFree",
  "_OrtRun",
] as const satisfies readonly (keyof RuntimeModule)[];

/** Where the stand-in for the runtime's script finds what to call. */
const HOOK = Symbol.for("wavepool.onnxruntime-factory");

let attempt: Promise<string | undefined> | undefined;
let started: Record<string, unknown> | undefined;

/**
 * Has onnxruntime-web start its runtime through us, so that its module is known. Must be called before the first
 * session of the realm; later calls change nothing.
 *
 * @returns undefined, or why the module will not be known
 */
export function catchRuntimeModule(): Promise<string | undefined> {
  attempt ??= prepare();
  return attempt;
}

async function prepare(): Promise<string | undefined> {
  const version = ort.env.versions.web ?? "none";
  if (!KNOWN_VERSIONS.includes(version)) {
    return `onnxruntime-web ${version} is none of the versions known inside (${KNOWN_VERSIONS.join(", ")})`;
  }
  const { wasm } = ort.env;
  if (wasm.proxy) return "onnxruntime-web runs in a worker of its own (env.wasm.proxy)";
  const files = filesOf(wasm.wasmPaths);
  if (files === null) return "env.wasm.wasmPaths is set to single files";
  if (wasm.wasmBinary !== undefined) return "env.wasm.wasmBinary is set";
  try {
    const factory = await ort.loadRuntimeFactory(files);
    // Should the rest fail: the copy of the script in a bundle would have its threads run the whole bundle.
    const installed = files === undefined ? ort.installedRuntimeFiles() : undefined;
    if (installed) wasm.wasmPaths = { mjs: installed.mjs, wasm: installed.wasm };
    const start = async (config: { numThreads?: number }) => {
      const module = (await factory({ numThreads: config.numThreads })) as Record<string, unknown>;
      started = module;
      return module;
    };
    Object.defineProperty(globalThis, HOOK, { value: start, configurable: true });
    const url = ort.moduleUrl(
      `export default (config) => globalThis[Symbol.for(${JSON.stringify(HOOK.description)})](config);`,
    );
    // Tried here first: an import that fails inside onnxruntime-web leaves it unable to start at all.
    const script = (await import(/* @vite-ignore */ /* webpackIgnore: true */ url)) as { default: unknown };
    if (typeof script.default !== "function") return "this runtime imports no made-up modules";
    wasm.wasmPaths = { mjs: url };
    return undefined;
  } catch (cause) {
    Reflect.deleteProperty(globalThis, HOOK);
    return `its runtime cannot be loaded by us (${messageOf(cause).split("\n")[0]})`;
  }
}

/** Where the runtime's files were said to be, as the adapters take it; null for the script or the binary alone. */
function filesOf(paths: typeof ort.env.wasm.wasmPaths): string | RuntimeFiles | undefined | null {
  if (paths === undefined || typeof paths === "string") return paths;
  const { mjs, wasm } = paths;
  return mjs === undefined || wasm === undefined ? null : { mjs: String(mjs), wasm: String(wasm) };
}

/** The module, once a session was made; or why it cannot be used. */
export function runtimeModule(): RuntimeModule | string {
  if (!started) return "onnxruntime-web had started before";
  if ("asyncInit" in started) return "it is a build whose runs are asynchronous";
  const missing = FUNCTIONS.find((name) => typeof started![name] !== "function");
  if (missing) return `its runtime has no ${missing}`;
  if (started.PTR_SIZE !== 4) return "its pointers are not 32 bits wide";
  return started as unknown as RuntimeModule;
}
