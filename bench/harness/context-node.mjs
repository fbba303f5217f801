/** What suites are handed in Node, Deno and Bun. */
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import * as wavepool from "../../dist/index.js";
import { bundleOf, GRAPHS, REFERENCES } from "./bundled.mjs";
import { peersBy } from "./peers.mjs";
import { modelDirectory } from "./speech-model.mjs";
import { speechHere } from "./speech-node.mjs";

const { Bun, Deno } = globalThis;
/** The one of `wavepool bench`. */
const THREAD = new URL("../../dist/bench-thread.js", import.meta.url);
const MODULES = new URL("../node_modules/", import.meta.url);
/** What was timed is compiled already. */
const WARM_UP_MS = 50;

const bundle = ({ name }) => import(pathToFileURL(bundleOf(name)).href);

/** Peers, threads and the model. @param counting whether bytes and collections are counted, by the flags of programs.mjs */
export async function nodeContext(counting) {
  const context = { wavepool, startThread, speech: () => speechHere(wavepool, true, modelDirectory()) };
  context.references = (await bundle(REFERENCES)).REFERENCES;
  context.graphs = () => bundle(GRAPHS);
  context.providers = ["wasm", "native", "webgpu", "webnn"];
  context.peers = peersBy((path) => readFile(new URL(path, MODULES)));
  if (counting) await countInto(context);
  if (Bun || Deno) return context;
  const { startNative } = await import("../mel/native.mjs");
  let program;
  context.native = async () => {
    program ??= await startNative();
    return { prepare: program.prepare, end: () => undefined };
  };
  context.end = () => program?.end();
  return context;
}

async function countInto(context) {
  const [{ GCProfiler }, { bytesPerCall }] = await Promise.all([
    import("node:v8"),
    import("../mel/allocation.mjs"),
  ]);
  context.bytesPerCall = (run) => bytesPerCall(run, WARM_UP_MS);
  context.collections = () => {
    globalThis.gc();
    const profiler = new GCProfiler();
    profiler.start();
    return () => profiler.stop().statistics.length;
  };
}

async function startThread(data) {
  const worker = new Worker(THREAD, { workerData: data });
  let answered = () => undefined;
  const death = new Promise((_, reject) => {
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`the thread ended with ${code}`)));
  });
  death.catch(() => undefined); // whoever asks is told
  worker.on("message", (message) => answered(message));
  const answer = () =>
    Promise.race([
      death,
      new Promise((resolve) => {
        answered = resolve;
      }),
    ]);
  await answer();
  return {
    ask(request) {
      const answering = answer();
      worker.postMessage(request);
      return answering;
    },
    end: () => worker.terminate(),
  };
}
