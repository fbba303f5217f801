/**
 * An agent in a worker thread: attaches with nothing but module and memory, and does as its `task` says.
 * Runs from dist/, as a user's worker would.
 */
import { parentPort, workerData } from "node:worker_threads";
import { attachCore, openBufferPool } from "../../dist/index.js";

const { handle, task, name, rounds = Number.POSITIVE_INFINITY, seed = 1, start, stop } = workerData;
const core = attachCore(handle);
const pool = openBufferPool(core, name);
const pause = new Int32Array(new SharedArrayBuffer(4));
let state = seed;

/** A pseudo-random integer below `limit` (Lehmer, "Mathematical methods in large-scale computing units", 1951). */
function random(limit) {
  state = (state * 48271) % 0x7fffffff;
  return state % limit;
}

/** Leases, fills, looks again and releases; what another agent writes into the buffer meanwhile is corruption. */
function round(mark) {
  const lease = pool.tryAcquire();
  if (lease === undefined) {
    Atomics.wait(pause, 0, 0, 0.05);
    return false;
  }
  const { view } = lease;
  view.fill(mark);
  const shared = random(4) === 0 ? lease.retain() : undefined;
  for (let i = 0; i < view.length; i++) {
    if (view[i] !== mark) corrupted++;
  }
  lease.release();
  shared?.release();
  if (random(500) === 0) pool.trim({ count: 1 });
  if (random(500) === 0) pool.grow(1);
  return true;
}

let corrupted = 0;
const tasks = {
  /** So many rounds, then the counts. */
  rounds() {
    let done = 0;
    let refused = 0;
    while (done < rounds && !(stop && Atomics.load(stop, 0))) {
      if (round((core.agent & 63) * 2 ** 24 + (done & 0xffffff))) done++;
      else refused++;
    }
    core.leave();
    parentPort.postMessage({ done, refused, corrupted });
  },
  /** Rounds without end, holding a few leases all the time: to be terminated. */
  victim() {
    const held = [];
    for (;;) {
      if (held.length < 3 && random(3) === 0) {
        const lease = pool.tryAcquire();
        if (lease) held.push(lease);
      } else if (random(2) === 0) held.shift()?.release();
      round(core.agent);
    }
  },
  /** Takes a few leases and references, and ends without giving them back. */
  deserter() {
    const held = Array.from({ length: random(8) }, () => pool.acquire());
    for (const lease of held) if (random(2)) lease.retain();
    parentPort.postMessage({ held: held.length });
  },
  /** Holds a lease and a reference to another agent's, until told to go. */
  holder() {
    const own = pool.acquire();
    own.view.fill(1);
    parentPort.on("message", (number) => {
      const adopted = pool.adopt(number);
      const shared = adopted.retain();
      parentPort.postMessage({ kept: shared.view[0] });
    });
  },
  /** Releases what it is handed, after a while. */
  releaser() {
    parentPort.on("message", ({ number, after }) => {
      const lease = pool.adopt(number);
      setTimeout(() => lease.release(), after);
    });
  },
  /** Waits for a buffer that never comes. */
  async hopeful() {
    const error = await pool.acquireAsync().catch((reason) => reason);
    parentPort.postMessage({ code: error.code });
  },
  /** Takes whatever comes free, in order, and says so. */
  async waiter() {
    for (let i = 0; i < rounds; i++) {
      const lease = await pool.acquireAsync({ timeout: 20_000 });
      lease.release();
      parentPort.postMessage({ got: i });
    }
  },
};

parentPort.postMessage({ agent: core.agent });
if (start) Atomics.wait(start, 0, 0);
await tasks[task]();
