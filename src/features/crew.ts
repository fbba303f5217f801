import { adapter } from "#adapter";
import { assertOptions, describe } from "../core/arguments.ts";
import { type Core, giveRegionBack, takeRegion } from "../core/core.ts";
import type { Pointer } from "../core/core-exports.ts";
import { CrewError, InvalidArgumentError } from "../core/errors.ts";

/** Milliseconds without an answer after which a thread counts as dead. */
const PATIENCE = 5000;
/** Safari has no Symbol.asyncDispose yet. */
const asyncDispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? (Symbol.for("Symbol.asyncDispose") as typeof Symbol.asyncDispose);
const MAX_THREADS = 16;
const DEFAULT_THREADS = 4;

/** How many threads compute. */
export interface CrewOptions {
  /** Threads in all, the calling one among them: 2 to 16; by default one a core, up to 4. */
  threads?: number;
}

/**
 * Threads that compute features along with the one that asks, on one shared memory. Create it with
 * {@link createCrew} and give it to `createFrontEnd`.
 */
export interface Crew {
  readonly core: Core;
  /** Threads in all, the calling one among them. */
  readonly threads: number;
  /**
   * The job in the core's memory. Not part of the public API.
   *
   * @throws CrewError once the crew has ended or failed.
   */
  job(): Pointer;
  /** Frames that each thread has computed so far, the calling one first. */
  frames(): number[];
  /** Waits for the job at hand. Not part of the public API. */
  finish(found: Pointer): void;
  /** Ends the threads; their workspaces stay with the core, for the next crew. Further calls do nothing. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Resolves to false after a while. */
function patience(): Promise<false> {
  return new Promise((resolve) => {
    setTimeout(resolve, PATIENCE, false);
  });
}

/**
 * Starts threads that share the work of a front end. They live in workers without any code of their own but the core,
 * sleep between clips, and do not keep the process alive. A clip is dealt out in chunks and the calling thread
 * computes along, so that it never waits for a thread that has not started yet.
 *
 * @throws InvalidArgumentError when the core is the plain build, or `threads` is out of range.
 * @throws CrewError when this runtime starts no workers (a page's policy may forbid them).
 */
export async function createCrew(core: Core, options: CrewOptions = {}): Promise<Crew> {
  assertOptions(options, "createCrew");
  const { threads = Math.max(2, Math.min(adapter.cores, DEFAULT_THREADS)) } = options;
  if (!Number.isInteger(threads) || threads < 2 || threads > MAX_THREADS) {
    throw new InvalidArgumentError(
      `threads is ${describe(threads)}; give an integer from 2 to ${MAX_THREADS}`,
    );
  }
  const { module, memory } = core.share();
  const { exports, buffer } = core;
  const bytes = exports.crewBytes(threads);
  const job = takeRegion(core, bytes, "crew");
  // The frames done: a word that changes while there is something to wait for.
  const done = new Int32Array(buffer, job + 8, 1);
  const members: { ended: Promise<void>; terminate(): void }[] = [];
  let failure: string | undefined;
  let broken = false;
  let closing: Promise<void> | undefined;
  try {
    for (let member = 1; member < threads; member++) {
      const start = { module, memory, job, member };
      members.push(
        adapter.startCoreWorker(start, (reason) => {
          failure = reason;
        }),
      );
    }
  } catch (cause) {
    exports.crewEnd(job);
    await Promise.all(members.map(({ ended }) => ended));
    giveRegionBack(core, job, bytes);
    throw new CrewError(
      `this runtime starts no workers: ${(cause as Error).message}; compute without a crew`,
      { cause },
    );
  }

  function currentJob(): Pointer {
    if (failure !== undefined) throw new CrewError(`a thread of the crew failed: ${failure}; make another`);
    if (closing === undefined && !broken) return job;
    throw new CrewError(`the crew has ${broken ? "failed" : "ended"}; make another`);
  }

  function frames(): number[] {
    currentJob();
    return Array.from({ length: threads }, (_, member) => exports.crewFrames(job, member));
  }

  function finish(found: Pointer): void {
    const until = performance.now() + PATIENCE;
    while (!exports.crewFinish(job, found)) {
      if (failure === undefined && performance.now() < until) {
        adapter.pause(done);
        continue;
      }
      broken = true; // a thread may still be at work on this job
      throw new CrewError(
        `a thread of the crew ${failure === undefined ? `has not answered for ${PATIENCE} ms` : `failed: ${failure}`}, with ${exports.crewDone(job)} frames done; close it and make another`,
      );
    }
  }

  async function end(): Promise<void> {
    exports.crewEnd(job);
    for (const member of members) {
      const left = await Promise.race([member.ended.then(() => true), patience()]);
      if (!left) member.terminate();
    }
    giveRegionBack(core, job, bytes);
  }
  function close(): Promise<void> {
    closing ??= end();
    return closing;
  }
  return { core, threads, job: currentJob, frames, finish, close, [asyncDispose]: close };
}
