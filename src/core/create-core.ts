import { instantiate } from "@assemblyscript/loader";
import { assertOptions, describe } from "./arguments.ts";
import { coreModule } from "./core-bytes.ts";
import type { CoreExports, Pointer } from "./core-exports.ts";
import { CoreMemoryError, InvalidArgumentError, UnsupportedRuntimeError } from "./errors.ts";

const PAGE_BYTES = 65536;
const DEFAULT_MEMORY_BYTES = 64 * 1024 * 1024;
const MIN_MEMORY_BYTES = 128 * 1024;
/** One page short of 4 GiB: the size itself must fit 32 bits. */
const MAX_MEMORY_BYTES = 65535 * PAGE_BYTES;

/** How to create a core. */
export interface CoreOptions {
  /**
   * Size of the core's memory in bytes, rounded up to 64 KiB; 64 MiB by default, 128 KiB to 4 GiB - 64 KiB.
   * It is fixed: growing would detach every view, and the size is the cap on what the core can take.
   */
  memoryBytes?: number;
}

/** One linear memory and the kernels that work in it. */
export interface Core {
  /** The memory that every pooled view of this core lies in. */
  readonly memory: WebAssembly.Memory;
  /** `memory.buffer`, which never changes because the memory never grows. */
  readonly buffer: ArrayBuffer;
  /** Size of the memory in bytes. */
  readonly memoryBytes: number;
  /** Raw functions of the core binary. Not part of the public API. */
  readonly exports: CoreExports;
  /** Bytes that pools and kernels can still take. */
  freeBytes(): number;
}

/**
 * Creates a core: compiles the inlined binary (once a realm) and lays out a memory of fixed size.
 *
 * @throws InvalidArgumentError when `memoryBytes` is no integer in range.
 * @throws CoreMemoryError when the runtime cannot reserve that much memory.
 * @throws UnsupportedRuntimeError when the runtime has no WebAssembly SIMD.
 */
export async function createCore(options: CoreOptions = {}): Promise<Core> {
  assertOptions(options, "createCore");
  const requested = options.memoryBytes ?? DEFAULT_MEMORY_BYTES;
  if (!Number.isSafeInteger(requested) || requested < MIN_MEMORY_BYTES || requested > MAX_MEMORY_BYTES) {
    throw new InvalidArgumentError(
      `memoryBytes is ${describe(requested)}; give an integer from ${MIN_MEMORY_BYTES} to ${MAX_MEMORY_BYTES}`,
    );
  }
  const pages = Math.ceil(requested / PAGE_BYTES);
  const memory = reserve(pages);
  const module = await compileCore();
  // The loader decodes the core's abort messages. Its own export wrappers take rest arguments, which
  // allocate on every call, so the instance's functions are used as they are.
  const { instance } = await instantiate(module, { env: { memory } });
  const exports = instance.exports as unknown as CoreExports;
  const memoryBytes = pages * PAGE_BYTES;
  exports.initialize(memoryBytes);
  return {
    memory,
    buffer: memory.buffer as ArrayBuffer,
    memoryBytes,
    exports,
    freeBytes: () => exports.arenaFree() >>> 0,
  };
}

/**
 * Takes a 64-byte-aligned region for good, for a kernel's tables or workspace.
 *
 * @throws CoreMemoryError when the core has no room; nothing is taken then.
 */
export function takeRegion(core: Core, bytes: number, purpose: string): Pointer {
  return orOutOfMemory(core, core.exports.arenaAllocate(bytes), bytes, purpose);
}

/** Passes a pointer through, or reports that the core had no room for it. */
export function orOutOfMemory(core: Core, pointer: Pointer, bytes: number, purpose: string): Pointer {
  if (pointer !== 0) return pointer >>> 0;
  throw new CoreMemoryError(
    `${purpose} needs ${bytes} bytes, but only ${core.freeBytes()} of the core's ${core.memoryBytes} are free; ` +
      "create the core with a larger memoryBytes",
  );
}

function reserve(pages: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch (cause) {
    throw new CoreMemoryError(
      `this runtime could not reserve ${pages * PAGE_BYTES} bytes; give a smaller memoryBytes`,
      { cause },
    );
  }
}

async function compileCore(): Promise<WebAssembly.Module> {
  try {
    return await coreModule();
  } catch (cause) {
    throw new UnsupportedRuntimeError(
      "this runtime cannot compile the core: it needs WebAssembly with SIMD (Chrome 91, Firefox 89, Safari 16.4, Node 16.4 or later)",
      { cause },
    );
  }
}
