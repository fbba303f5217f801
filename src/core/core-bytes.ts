import { CORE_BASE64 } from "./core-binary.generated.ts";

let compiled: Promise<WebAssembly.Module> | undefined;

/** Bytes of the core binary, the same as the published file `wavepool/core.wasm`. */
export function coreBytes(): Uint8Array<ArrayBuffer> {
  const text = atob(CORE_BASE64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** The compiled core, shared by every core object of this realm. */
export function coreModule(): Promise<WebAssembly.Module> {
  compiled ??= WebAssembly.compile(coreBytes()).catch((error) => {
    compiled = undefined; // what failed once, for want of memory say, may work later
    throw error;
  });
  return compiled;
}
