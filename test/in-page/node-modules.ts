/** What tests import of Node, in a page: files by the server of the tests, and worker threads by Workers. */

export const join = (...parts: string[]) => parts.join("/");
export const fileURLToPath = (url: URL | string) => new URL(url, location.origin).pathname;

/** By request: the page is served from the root of the repository. */
export async function readFile(path: URL | string): Promise<Uint8Array> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} answers ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Text alone: a page waits for nothing else. */
export function readFileSync(path: URL | string): string {
  const request = new XMLHttpRequest();
  request.open("GET", path, false);
  request.send();
  return request.responseText;
}

export const existsSync = () => false;

/** A worker thread of Node over a Worker, as far as tests use it. */
export class Worker {
  readonly #worker: globalThis.Worker;

  constructor(url: URL, { workerData }: { workerData: unknown }) {
    this.#worker = new globalThis.Worker(url, { type: "module" });
    this.#worker.postMessage(workerData);
  }

  on(event: "message" | "error", listener: (value: unknown) => void): void {
    this.#worker.addEventListener(event, (it) =>
      listener(event === "message" ? (it as MessageEvent).data : new Error((it as ErrorEvent).message)),
    );
  }

  once(event: "message" | "error", listener: (value: unknown) => void): void {
    let over = false;
    this.on(event, (value) => {
      if (!over) listener(value);
      over = true;
    });
  }

  postMessage(message: unknown): void {
    this.#worker.postMessage(message);
  }

  async terminate(): Promise<void> {
    this.#worker.terminate();
  }
}
