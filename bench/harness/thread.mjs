/** A thread of the contention job in Node, Deno and Bun. */
import { parentPort, workerData } from "node:worker_threads";
import * as wavepool from "../../dist/index.js";
import { contend } from "../suites/contend.mjs";

const work = contend(wavepool, workerData);
parentPort.on("message", () => parentPort.postMessage(work()));
parentPort.postMessage("ready");
