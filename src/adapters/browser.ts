/** Browsers: files are URLs, models are served from a directory of the site. */
import { FileError } from "../core/errors.ts";
import type { Adapter, CoreWorker, CoreWorkerStart, PressureReader } from "./adapter.ts";
import { createBrowserStore, readStored, STORE_SCHEME, storedSize } from "./browser-store.ts";
import { openUrl } from "./open-file.browser.ts";
import { hasStorage } from "./segments.ts";

async function fetchFile(url: string, method: "GET" | "HEAD"): Promise<Response> {
  try {
    return await fetch(url, { method });
  } catch (cause) {
    throw new FileError(`cannot fetch ${url}: ${(cause as Error).message}; check the URL and the network`, {
      cause,
    });
  }
}

/** Compute Pressure (https://www.w3.org/TR/compute-pressure/), which not all browsers have yet. */
type PressureState = "nominal" | "fair" | "serious" | "critical";
interface PressureObserverLike {
  observe(source: "cpu", options?: { sampleInterval: number }): Promise<void>;
  disconnect(): void;
}
type PressureObserverClass = new (
  callback: (records: { state: PressureState }[]) => void,
) => PressureObserverLike;

/** Its four states on a scale from 0 to 1: `serious` is above the usual threshold of 0.8, `critical` the end. */
const STATES: Record<PressureState, number> = { nominal: 0.3, fair: 0.6, serious: 0.9, critical: 1 };

function computePressureReaders(): PressureReader[] {
  const { PressureObserver } = globalThis as { PressureObserver?: PressureObserverClass };
  if (PressureObserver === undefined) return [];
  let state: PressureState | undefined;
  const observer = new PressureObserver((records) => {
    state = records.at(-1)?.state;
  });
  // Refused by permission policy, or on machines that tell nothing: then there is no figure, which is no failure.
  observer.observe("cpu", { sampleInterval: 1000 }).catch(() => {});
  return [
    {
      name: "compute pressure",
      kind: "cpu",
      read: () => (state === undefined ? undefined : STATES[state]),
      stop: () => observer.disconnect(),
    },
  ];
}

/** Bytes of the script heap, where the browser tells (Chromium). */
function heapReaders(): PressureReader[] {
  const { memory } = performance as { memory?: { usedJSHeapSize: number } };
  if (memory === undefined) return [];
  return [{ name: "script heap", kind: "memory", read: () => memory.usedJSHeapSize, stop() {} }];
}

/** Share of time by which a timer comes late: how busy the thread is, seen from within. */
function timerReader(): PressureReader {
  const interval = 50;
  let due = performance.now() + interval;
  let late = 0;
  let since = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    late += Math.max(0, now - due);
    due = now + interval;
  }, interval);
  return {
    name: "event loop",
    kind: "cpu",
    read() {
      const now = performance.now();
      const share = now > since ? Math.min(1, late / (now - since)) : undefined;
      late = 0;
      since = now;
      return share;
    },
    stop: () => clearInterval(timer),
  };
}

/** The whole program of a worker of the core. */
const CORE_WORKER = `
onmessage = ({ data: { module, memory, job, member } }) => {
  const abort = () => { throw new Error("the core aborted"); };
  new WebAssembly.Instance(module, { env: { memory, abort } }).exports.crewServe(job, member);
  postMessage("ended");
};`;

function startCoreWorker(start: CoreWorkerStart, onFailure: (reason: string) => void): CoreWorker {
  const url = URL.createObjectURL(new Blob([CORE_WORKER], { type: "text/javascript" }));
  const worker = new Worker(url);
  const ended = new Promise<void>((resolve) => {
    const end = () => {
      URL.revokeObjectURL(url);
      worker.terminate();
      resolve();
    };
    worker.onmessage = end;
    worker.onerror = (event) => {
      onFailure(
        event.message || "it could not be loaded; see the page's Content-Security-Policy (worker-src blob:)",
      );
      end();
    };
  });
  worker.postMessage(start);
  return { ended, terminate: () => worker.terminate() };
}

/** Pages may not block; workers may. */
const mayBlock = typeof document === "undefined";

export const adapter: Adapter = {
  runtime: globalThis.navigator?.userAgent ?? "unknown runtime",
  cores: globalThis.navigator?.hardwareConcurrency ?? 1,
  join: (directory, path) => `${directory.replace(/\/$/, "")}/${path}`,
  async fileExists(url) {
    if (url.startsWith(STORE_SCHEME)) return (await storedSize(url)) !== undefined;
    const { ok, status } = await fetchFile(url, "HEAD");
    if (ok || status === 404 || status === 410) return ok;
    throw new FileError(`cannot look for ${url}: the server answers ${status} to HEAD; check the server`);
  },
  async readFile(url) {
    if (url.startsWith(STORE_SCHEME)) return readStored(url);
    const response = await fetchFile(url, "GET");
    if (!response.ok)
      throw new FileError(`cannot fetch ${url}: the server answers ${response.status}; check the URL`);
    return new Uint8Array(await response.arrayBuffer());
  },
  openFile: openUrl,
  async writeFile(path) {
    throw new FileError(`cannot write ${path}: a page has no file system; offer the bytes as a download`);
  },
  findPackage: () => undefined,
  nextTask() {
    // Not setTimeout: browsers hold nested timers back by 4 ms.
    const { port1, port2 } = new MessageChannel();
    return new Promise((resolve) => {
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(undefined);
    });
  },
  sameFile: async (a, b) => new URL(a, location.href).href === new URL(b, location.href).href,
  pressureReaders: () => [...heapReaders(), ...computePressureReaders(), timerReader()],
  startCoreWorker,
  pause(words) {
    if (mayBlock) Atomics.wait(words, 0, words[0]!, 1);
  },
  modelCache: hasStorage ? `${STORE_SCHEME}models` : undefined,
  modelStore: hasStorage ? createBrowserStore() : undefined,
  filesAreUrls: true,
  environment: () => undefined,
};
