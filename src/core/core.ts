import { describe } from "./arguments.ts";
import type { CoreExports, Pointer } from "./core-exports.ts";
import { CoreMemoryError, InvalidArgumentError } from "./errors.ts";

/** What another agent needs to attach: both can be posted to a worker or an audio worklet. */
export interface CoreHandle {
  /** The compiled threads build. */
  readonly module: WebAssembly.Module;
  /** The shared memory. */
  readonly memory: WebAssembly.Memory;
}

/** What {@link Core.reclaim} found. */
export interface Reclaimed {
  /** Leases that ended because their holder is gone. */
  leases: number;
  /** Slots that the agent was moving when it died, put back. */
  recovered: number;
  /** False when other agents were too busy to tell whether more is missing; call again then. */
  complete: boolean;
}

/** One linear memory and the kernels that work in it, as seen by one agent. */
export interface Core {
  /** The memory that every pooled view of this core lies in. */
  readonly memory: WebAssembly.Memory;
  /** `memory.buffer`, which never changes because the memory never grows. */
  readonly buffer: ArrayBufferLike;
  /** Size of the memory in bytes. */
  readonly memoryBytes: number;
  /** Whether this is the threads build on a shared memory, to which other agents can attach. */
  readonly threads: boolean;
  /** Whether the kernels use relaxed SIMD: fused multiply-add, whose last bits depend on the processor. */
  readonly relaxed: boolean;
  /** Number of this agent in the memory. No other agent ever has the same. */
  readonly agent: number;
  /** Raw functions of the core binary. Not part of the public API. */
  readonly exports: CoreExports;
  /** Has `end` called when this agent leaves. Not part of the public API. */
  onLeave(end: () => void): void;
  /** Bytes that pools and kernels can still take. */
  freeBytes(): number;
  /**
   * Module and memory for `attachCore` in a worker or worklet.
   *
   * @throws InvalidArgumentError for a plain core, whose memory cannot be shared.
   */
  share(): CoreHandle;
  /**
   * Ends everything that an agent held when it died: its leases in every pool, and slots that it was
   * moving at that moment. Other agents' references to the same buffers stay. Call it when a worker has
   * exited, with the number its core had; a living agent's leases would be taken from under it. Where
   * `terminate()` resolves early, wait or have the worker end itself: browsers let a busy worker run on for
   * about two seconds, Deno one that is busy in Wasm for longer.
   * For an agent that has left, or been reclaimed before, there is nothing to do.
   *
   * @throws InvalidArgumentError when `agent` is no number of an agent, or this agent's own.
   */
  reclaim(agent: number): Reclaimed;
  /**
   * Leaves the memory, for an agent that ends in good order: its place is free again. Further calls do
   * nothing; the core is not to be used afterwards.
   *
   * @throws InvalidArgumentError while this agent still holds leases.
   */
  leave(): void;
}

/** Agents that one memory can have at once, see assembly/memory/agents.ts. */
export const MAX_AGENTS = 64;
/** Places in the core's directories, see assembly/memory/header.ts. */
export const DIRECTORY_PLACES = 64;

/** Cores of this realm that have not left, for leak checks at the end of a test file. */
const cores = new Set<WeakRef<Core>>();

/** Every core of this realm that is still reachable and has not left its memory. */
export function livingCores(): Core[] {
  return [...cores].map((reference) => reference.deref()).filter((core) => core !== undefined);
}

/** Cores that are kept from being collected, where leases of dropped ones are to be found too. */
let kept: Set<Core> | undefined;

/** Keeps every core of this realm from now on, until it leaves. For tests: see testing/vitest.ts. */
export function keepCores(): void {
  kept ??= new Set(livingCores());
}

/**
 * Makes the core object of an instance and joins the memory as an agent.
 *
 * @throws CoreMemoryError when all 64 places for agents are taken.
 */
export function joinCore(
  exports: CoreExports,
  memory: WebAssembly.Memory,
  module: WebAssembly.Module,
  memoryBytes: number,
): Core {
  const buffer = memory.buffer as ArrayBufferLike;
  const threads = typeof SharedArrayBuffer !== "undefined" && buffer instanceof SharedArrayBuffer;
  const agent = exports.agentJoin();
  if (agent < 0) {
    throw new CoreMemoryError(
      `the memory has ${MAX_AGENTS} agents already; let one leave, or reclaim those that died`,
    );
  }
  let present = true;
  const endings: (() => void)[] = [];
  const core: Core = {
    memory,
    buffer,
    memoryBytes,
    threads,
    relaxed: exports.relaxedSimd() !== 0,
    agent,
    exports,
    freeBytes: () => exports.arenaFree() >>> 0,
    share() {
      if (threads) return { module, memory };
      throw new InvalidArgumentError(
        "this core is the plain build, whose memory no other agent can attach to; create it with threads: true",
      );
    },
    onLeave: (end) => endings.push(end),
    reclaim: (dead) => reclaim(core, dead),
    leave() {
      if (!present) return;
      const held = heldBy(core, agent);
      if (held > 0) {
        throw new InvalidArgumentError(`agent ${agent} still holds ${held} leases; release them, then leave`);
      }
      present = false;
      cores.delete(reference);
      kept?.delete(core);
      for (const end of endings) end();
      exports.agentLeave(agent);
      freeClosedPools(core);
    },
  };
  const reference = new WeakRef(core);
  cores.add(reference);
  kept?.add(core);
  return core;
}

/** Addresses of all pools in a memory, whichever agent created them; closed ones too while a lease of theirs lasts. */
export function poolAddresses(core: Core): Pointer[] {
  const addresses: Pointer[] = [];
  for (let place = 0; place < DIRECTORY_PLACES; place++) {
    const pool = core.exports.poolAt(place) >>> 0;
    if (pool !== 0) addresses.push(pool);
  }
  return addresses;
}

/** Gives closed pools back that nobody uses any more, now that an agent is gone. */
function freeClosedPools(core: Core): void {
  for (const pool of poolAddresses(core)) if (core.exports.poolClosed(pool)) core.exports.poolFree(pool);
}

/** This agent's shard of counters in a pool, made when it first comes. */
export function joinPool(core: Core, pool: Pointer): Pointer {
  const shard = core.exports.poolJoin(pool, core.agent);
  return orOutOfMemory(core, shard, 256, `agent ${core.agent}'s counters`);
}

function heldBy(core: Core, agent: number): number {
  const { exports } = core;
  let held = 0;
  for (const pool of poolAddresses(core)) {
    const max = exports.poolMax(pool);
    for (let i = 0; i < max; i++) held += exports.slotHeldBy(pool, i, agent);
  }
  return held;
}

function reclaim(core: Core, agent: number): Reclaimed {
  const { exports } = core;
  if (!Number.isInteger(agent) || agent < 0 || agent >= 2 ** 31 || agent === core.agent) {
    throw new InvalidArgumentError(
      `agent is ${describe(agent)}; give the number of another agent, as its core says, and not ${core.agent}, this one's`,
    );
  }
  const result: Reclaimed = { leases: 0, recovered: 0, complete: true };
  if (!exports.agentPresent(agent)) return result;
  for (const pool of poolAddresses(core)) {
    const known = exports.poolShard(pool, core.agent);
    const shard = known || joinPool(core, pool);
    result.leases += exports.poolReclaim(shard, agent);
    const recovered = exports.poolRecover(shard);
    if (recovered < 0) result.complete = false;
    else result.recovered += recovered;
    if (!known) exports.poolLeave(shard); // joined for this only: it is not to keep the pool's memory
  }
  if (!result.complete) return result;
  exports.agentLeave(agent);
  freeClosedPools(core);
  return result;
}

/**
 * Takes a 64-byte-aligned region for good, for a kernel's tables or workspace.
 *
 * @throws CoreMemoryError when the core has no room; nothing is taken then.
 */
export function takeRegion(core: Core, bytes: number, purpose: string): Pointer {
  return orOutOfMemory(core, core.exports.arenaAllocate(bytes), bytes, purpose);
}

/** Gives back what {@link takeRegion} took, zeroed. */
export function giveRegionBack(core: Core, region: Pointer, bytes: number): void {
  core.exports.arenaRelease(region, bytes);
}

/** Passes a pointer through, or reports that the core had no room for it. */
export function orOutOfMemory(core: Core, pointer: Pointer, bytes: number, purpose: string): Pointer {
  if (pointer !== 0) return pointer >>> 0;
  throw new CoreMemoryError(
    `${purpose} needs ${bytes} bytes, but only ${core.freeBytes()} of the core's ${core.memoryBytes} are free; ` +
      "create the core with a larger memoryBytes",
  );
}
