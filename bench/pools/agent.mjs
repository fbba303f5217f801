/** One of the threads of bench/pools.mjs: waits for the start, then acquires and releases so many times. */
import { parentPort, workerData } from "node:worker_threads";
import { attachCore, openBufferPool } from "../../dist/index.js";

const { handle, rounds, start } = workerData;
const pool = openBufferPool(attachCore(handle), "shared");
for (let i = 0; i < 20_000; i++) pool.tryAcquire()?.release();
parentPort.postMessage("ready");
Atomics.wait(start, 0, 0);
let done = 0;
let refused = 0;
while (done < rounds) {
  const lease = pool.tryAcquire();
  if (lease === undefined) {
    refused++;
    continue;
  }
  lease.release();
  done++;
}
parentPort.postMessage({ done, refused });
