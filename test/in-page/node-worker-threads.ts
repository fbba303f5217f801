/** What a worker thread of the tests imports of node:worker_threads, in a Worker of a page. */
export { Worker } from "./node-modules.ts";

const inWorker = typeof document === "undefined";
/** The first message, see node-modules.ts. */
export const workerData: unknown = inWorker
  ? await new Promise((resolve) => {
      addEventListener("message", ({ data }) => resolve(data), { once: true });
    })
  : undefined;

export const parentPort = {
  postMessage: (message: unknown) => postMessage(message),
  on: (_: "message", listener: (message: unknown) => void) =>
    addEventListener("message", ({ data }) => listener(data)),
};
