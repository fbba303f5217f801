/** Without imports that an audio worklet lacks (TextDecoder, atob, performance), so that it runs there too. */
import { assertOptions, describe } from "./arguments.ts";
import { type Core, type CoreHandle, joinCore } from "./core.ts";
import type { CoreExports } from "./core-exports.ts";
import { InvalidArgumentError } from "./errors.ts";

/** 'WVPL' in little-endian order, and the layout version; see assembly/memory/header.ts. */
const MAGIC = 0x4c505657;
const VERSION = 2;

/**
 * Attaches to the memory of a core that another agent created, with nothing but module and memory. Nothing
 * in the memory is laid out anew: pools, leases and counts are as the others left them. Synchronous, so
 * that an audio worklet's constructor can call it.
 *
 * @param handle what `core.share()` gave, posted to this worker or worklet.
 * @throws InvalidArgumentError when the handle is none, or the memory is not one of wavepool's, of another
 * layout version or not shared; the message says which.
 * @throws CoreMemoryError when 64 agents are attached already.
 */
export function attachCore(handle: CoreHandle): Core {
  assertOptions(handle, "attachCore");
  const { module, memory } = handle;
  if (!(module instanceof WebAssembly.Module)) {
    throw new InvalidArgumentError(`attachCore: module is ${describe(module)}; give core.share()'s`);
  }
  if (!(memory instanceof WebAssembly.Memory)) {
    throw new InvalidArgumentError(`attachCore: memory is ${describe(memory)}; give core.share()'s`);
  }
  // Looked at before the instance is made: instantiating writes the binary's constants into the memory.
  const size = checkHeader(memory);
  const instance = new WebAssembly.Instance(module, {
    env: { memory, abort: (...at: number[]) => abort(memory, at) },
  });
  return joinCore(instance.exports as unknown as CoreExports, memory, module, size);
}

function checkHeader(memory: WebAssembly.Memory): number {
  const [magic, version, size] = new Uint32Array(memory.buffer, 0, 3) as unknown as [number, number, number];
  const hex = (value: number) => `0x${value.toString(16)}`;
  if (magic !== MAGIC) {
    throw new InvalidArgumentError(
      `attachCore: the memory begins with ${hex(magic)}, not ${hex(MAGIC)}: no core was created in it; give core.share()'s`,
    );
  }
  if (version !== VERSION) {
    throw new InvalidArgumentError(
      `attachCore: the memory's layout is version ${version}, this wavepool knows ${VERSION}; use one version of wavepool in all agents`,
    );
  }
  if (size !== memory.buffer.byteLength) {
    throw new InvalidArgumentError(
      `attachCore: the memory says ${size} bytes and has ${memory.buffer.byteLength}; give the memory as it was created`,
    );
  }
  if (memory.buffer instanceof ArrayBuffer) {
    throw new InvalidArgumentError(
      "attachCore: the memory is not shared; create the core with threads: true",
    );
  }
  return size;
}

/** Raises a failed assertion of the core. Strings of AssemblyScript are UTF-16, their byte length lies before them. */
function abort(memory: WebAssembly.Memory, [message = 0, file = 0, line = 0, column = 0]: number[]): never {
  const text = (pointer: number) => {
    const length = new Uint32Array(memory.buffer)[(pointer - 4) >>> 2]!;
    return String.fromCharCode(...new Uint16Array(memory.buffer, pointer, length >>> 1));
  };
  throw new Error(`abort: ${text(message)} at ${text(file)}:${line}:${column}`);
}
