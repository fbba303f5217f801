import { instantiate } from "@assemblyscript/loader";
import { assertOptions, describe } from "./arguments.ts";
import { type Core, joinCore } from "./core.ts";
import { type BinaryChoice, coreModule } from "./core-bytes.ts";
import type { CoreExports } from "./core-exports.ts";
import { CoreMemoryError, InvalidArgumentError, UnsupportedRuntimeError } from "./errors.ts";
import { fusedMultiplyAddWorks, relaxedSimdWorks, sharedMemoryWorks } from "./runtime-probes.ts";

const PAGE_BYTES = 65536;
const DEFAULT_MEMORY_BYTES = 64 * 1024 * 1024;
const MIN_MEMORY_BYTES = 128 * 1024;
/** One page short of 4 GiB: the size itself must fit 32 bits. */
export const MAX_MEMORY_BYTES = 65535 * PAGE_BYTES;

/** How to create a core. */
export interface CoreOptions {
  /**
   * Size of the core's memory in bytes, rounded up to 64 KiB; 64 MiB by default, 128 KiB to 4 GiB - 64 KiB.
   * It is fixed: growing would detach every view, and the size is the cap on what the core can take.
   */
  memoryBytes?: number;
  /**
   * Whether other agents can attach: the memory is a SharedArrayBuffer then, and pools work with atomics.
   * By default where the runtime offers it; in browsers that takes the cross-origin isolation headers.
   * Say `false` for views over an ordinary ArrayBuffer, which a few web APIs insist on.
   */
  threads?: boolean;
  /**
   * Whether the kernels use relaxed SIMD (fused multiply-add), by default where the runtime has it and
   * does fuse. Say `false` for features that are the same to the last bit on every machine.
   */
  relaxed?: boolean;
}

/**
 * Creates a core: compiles the inlined binary (once a realm) and lays out a memory of fixed size.
 *
 * @throws InvalidArgumentError when `memoryBytes` is no integer in range.
 * @throws CoreMemoryError when the runtime cannot reserve that much memory.
 * @throws UnsupportedRuntimeError when the runtime has no WebAssembly SIMD, or with `threads: true` no
 * shared memory.
 */
export async function createCore(options: CoreOptions = {}): Promise<Core> {
  assertOptions(options, "createCore");
  const { memoryBytes: requested = DEFAULT_MEMORY_BYTES, threads: wanted, relaxed: relaxedWanted } = options;
  if (!Number.isSafeInteger(requested) || requested < MIN_MEMORY_BYTES || requested > MAX_MEMORY_BYTES) {
    throw new InvalidArgumentError(
      `memoryBytes is ${describe(requested)}; give an integer from ${MIN_MEMORY_BYTES} to ${MAX_MEMORY_BYTES}`,
    );
  }
  assertSwitch(wanted, "threads");
  assertSwitch(relaxedWanted, "relaxed");
  const threads = wanted ?? sharedMemoryWorks();
  if (threads && !sharedMemoryWorks()) {
    throw new UnsupportedRuntimeError(
      "this runtime offers no shared WebAssembly memory (a page needs the headers Cross-Origin-Opener-Policy: " +
        "same-origin and Cross-Origin-Embedder-Policy: require-corp); create the core with threads: false",
    );
  }
  const relaxed = relaxedWanted ?? fusedMultiplyAddWorks();
  if (relaxed && !relaxedSimdWorks()) {
    throw new UnsupportedRuntimeError(
      "this runtime has no relaxed SIMD (Chrome 114, Node 22, Firefox 145 or later have); leave relaxed out",
    );
  }
  const pages = Math.ceil(requested / PAGE_BYTES);
  const memory = reserve(pages, threads);
  const module = await compileCore({ threads, relaxed });
  // The loader decodes the core's abort messages. Its own export wrappers take rest arguments, which
  // allocate on every call, so the instance's functions are used as they are.
  const { instance } = await instantiate(module, { env: { memory } });
  const exports = instance.exports as unknown as CoreExports;
  const memoryBytes = pages * PAGE_BYTES;
  exports.initialize(memoryBytes);
  return joinCore(exports, memory, module, memoryBytes);
}

function assertSwitch(value: unknown, name: string): void {
  if (value === undefined || typeof value === "boolean") return;
  throw new InvalidArgumentError(`${name} is ${describe(value)}; give true or false, or leave it out`);
}

function reserve(pages: number, shared: boolean): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
  } catch (cause) {
    throw new CoreMemoryError(
      `this runtime could not reserve ${pages * PAGE_BYTES} bytes; give a smaller memoryBytes`,
      { cause },
    );
  }
}

async function compileCore(choice: BinaryChoice): Promise<WebAssembly.Module> {
  try {
    return await coreModule(choice);
  } catch (cause) {
    throw new UnsupportedRuntimeError(
      "this runtime cannot compile the core: it needs WebAssembly with SIMD (Chrome 91, Firefox 89, Safari 16.4, Node 16.4 or later)",
      { cause },
    );
  }
}
