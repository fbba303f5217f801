/** What runs in a page: bundled by site.mjs with the suites, the package and its peers. */
import * as wavepool from "wavepool";
import { REFERENCES } from "../../test/features/preset-references.ts";
import { SUITES } from "../suites/index.mjs";
import { coreBinary } from "./core-binary.mjs";
import { EFFORTS, measureSuite } from "./measure.mjs";
import { peersBy } from "./peers.mjs";
import { problemsOf } from "./problems.mjs";
import { chosen } from "./request.mjs";
import { speechInPage } from "./speech-page.mjs";

const ONNXRUNTIME = new URL("modules/onnxruntime-web/dist/", location.href).href;
const PROVIDERS = ["wasm", "webgpu", "webnn"];

async function read(path) {
  const response = await fetch(new URL(`modules/${path}`, location.href));
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

function startThread(data) {
  const worker = new Worker(new URL("page-thread.js", location.href), { type: "module" });
  const answer = () =>
    new Promise((resolve, reject) => {
      worker.onmessage = (event) => resolve(event.data);
      worker.onerror = (event) => reject(new Error(event.message));
    });
  const ask = (request) => {
    const answered = answer();
    worker.postMessage(request);
    return answered;
  };
  return ask(data).then(() => ({ ask, end: () => worker.terminate() }));
}

/** Name and version of this browser. */
function runtimeVersion() {
  const agent = navigator.userAgent;
  const [, name, number] = /(Firefox|Chrome|Version)\/([\d.]+)/.exec(agent) ?? [];
  return name === "Version" ? `WebKit, version ${number}` : name ? `${name} ${number}` : agent;
}

/** Names of the suites. */
export const suites = Object.keys(SUITES);

/**
 * @param providers of onnxruntime that the suite of encoder and decoder looks at
 * @returns { version, core, result } of a suite, as child.mjs gives it elsewhere
 */
export async function runSuite(name, effort, onProgress, providers = PROVIDERS) {
  const peers = peersBy(read, ONNXRUNTIME);
  const context = {
    wavepool,
    peers,
    providers,
    references: REFERENCES,
    speech: () => speechInPage(wavepool, peers),
    graphs: () => import("./graphs.mjs"),
  };
  if (crossOriginIsolated) context.startThread = startThread;
  const result = await measureSuite(SUITES[name], context, EFFORTS[effort], onProgress);
  return { version: runtimeVersion(), core: await coreBinary(wavepool), result };
}

globalThis.wavepoolBench = { suites, runSuite, chosen, problemsOf };
