import { PLAIN_BASE64, THREADS_BASE64 } from "./core-binary.generated.ts";

const compiled = new Map<boolean, Promise<WebAssembly.Module>>();

/** Bytes of a core binary: `wavepool/core.wasm`, or `wavepool/core.threads.wasm` for a shared memory. */
function coreBytes(threads: boolean): Uint8Array<ArrayBuffer> {
  const text = atob(threads ? THREADS_BASE64 : PLAIN_BASE64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** The compiled core, shared by every core object of this realm. */
export function coreModule(threads: boolean): Promise<WebAssembly.Module> {
  const known = compiled.get(threads);
  if (known) return known;
  const module = WebAssembly.compile(coreBytes(threads)).catch((error) => {
    compiled.delete(threads); // what failed once, for want of memory say, may work later
    throw error;
  });
  compiled.set(threads, module);
  return module;
}
