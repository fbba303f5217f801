/** Node, Deno and Bun: all three offer the node: modules used here. */
import { access, readFile, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { availableParallelism, homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { Worker } from "node:worker_threads";
import { FileError } from "../core/errors.ts";
import type { Adapter, CoreWorker, CoreWorkerStart, PressureReader } from "./adapter.ts";
import { ABSENT, errorCode, fileError } from "./file-errors.ts";
import { createNodeStore } from "./node-store.ts";
import { openFile } from "./open-file.node.ts";

function runtimeName(): string {
  const versions = process.versions;
  if (versions.deno) return `Deno ${versions.deno}`;
  if (versions.bun) return `Bun ${versions.bun}`;
  return `Node ${versions.node}`;
}

function cacheDirectory(): string {
  const { WAVEPOOL_CACHE, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (WAVEPOOL_CACHE) return resolve(WAVEPOOL_CACHE);
  if (process.platform === "darwin") return join(homedir(), "Library", "Caches", "wavepool");
  if (process.platform === "win32" && LOCALAPPDATA) return join(LOCALAPPDATA, "wavepool", "Cache");
  return join(XDG_CACHE_HOME || join(homedir(), ".cache"), "wavepool");
}

function findPackage(name: string): string | undefined {
  for (const from of [join(process.cwd(), "package.json"), import.meta.url]) {
    try {
      return dirname(createRequire(from).resolve(`${name}/package.json`));
    } catch (cause) {
      // Not installed there: the next place may have it, and the caller reports where it looked.
      if (!ABSENT.has(errorCode(cause))) throw cause;
    }
  }
  return undefined;
}

/** Share of all cores that this process has used since the last reading. */
function cpuReader(): PressureReader {
  let last = process.cpuUsage();
  let at = performance.now();
  return {
    name: "cpu",
    kind: "cpu",
    read() {
      const { user, system } = process.cpuUsage(last);
      const elapsed = performance.now() - at;
      if (elapsed <= 0) return undefined;
      last = process.cpuUsage();
      at += elapsed;
      return (user + system) / 1000 / elapsed / availableParallelism();
    },
    stop() {},
  };
}

/** Share of time that the event loop was busy; missing in runtimes that do not tell. */
function eventLoopReaders(): PressureReader[] {
  const utilization = performance.eventLoopUtilization;
  if (typeof utilization !== "function") return [];
  let last = utilization();
  const read = () => {
    const now = utilization();
    const since = utilization(now, last);
    last = now;
    return since.idle + since.active > 0 ? since.utilization : undefined;
  };
  return [{ name: "event loop", kind: "cpu", read, stop() {} }];
}

/** The whole program of a worker of the core. It ends when the crew does, and takes nothing but the core along. */
const CORE_WORKER = `{
  // In a block: Deno has names such as "module" at the top already.
  const { module, memory, job, member } = require("node:worker_threads").workerData;
  const abort = () => { throw new Error("the core aborted"); };
  new WebAssembly.Instance(module, { env: { memory, abort } }).exports.crewServe(job, member);
}`;

function startCoreWorker(start: CoreWorkerStart, onFailure: (reason: string) => void): CoreWorker {
  const worker = new Worker(CORE_WORKER, { eval: true, workerData: start });
  worker.unref();
  worker.on("error", (error) => onFailure(error.message));
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  return { ended, terminate: () => void worker.terminate() };
}

export const adapter: Adapter = {
  runtime: runtimeName(),
  cores: availableParallelism(),
  join,
  async fileExists(path) {
    try {
      await access(path);
      return true;
    } catch (cause) {
      if (ABSENT.has(errorCode(cause))) return false;
      throw fileError("read", path, cause);
    }
  },
  async readFile(path) {
    try {
      // A device such as /dev/zero has no end.
      if ((await stat(path)).isCharacterDevice()) {
        throw new FileError(`cannot read ${path}: it is a device; give a file`);
      }
      return await readFile(path);
    } catch (cause) {
      if (cause instanceof FileError) throw cause;
      throw fileError("read", path, cause);
    }
  },
  openFile: (path) => openFile(path, (cause) => fileError("read", path, cause)),
  async writeFile(path, bytes) {
    try {
      await writeFile(path, bytes);
    } catch (cause) {
      throw fileError("write", path, cause);
    }
  },
  findPackage,
  nextTask: () => new Promise((resolve) => setImmediate(resolve)),
  async sameFile(a, b) {
    const [one, other] = await Promise.all([a, b].map((path) => stat(path).catch(() => undefined)));
    return one !== undefined && other !== undefined && one.dev === other.dev && one.ino === other.ino;
  },
  pressureReaders: () => [
    { name: "process memory", kind: "memory", read: () => process.memoryUsage().rss, stop() {} },
    cpuReader(),
    ...eventLoopReaders(),
  ],
  startCoreWorker,
  pause: (words) => void Atomics.wait(words, 0, words[0]!, 1),
  // Read at each use: a program may set the variables after it has loaded wavepool.
  get modelCache() {
    return join(cacheDirectory(), "models");
  },
  modelStore: createNodeStore(),
  filesAreUrls: false,
  environment: (name) => process.env[name],
};
