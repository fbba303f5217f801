import { FileError } from "../core/errors.ts";
import type { OpenFile } from "./adapter.ts";

/**
 * Opens a URL for reading: in order from one response, anywhere by range requests (RFC 9110, section 14)
 * where the server offers them.
 *
 * @throws FileError when the server cannot be reached or answers with an error.
 */
export async function openUrl(url: string): Promise<OpenFile> {
  const response = await request(url);
  if (!response.ok) {
    await response.body?.cancel();
    throw new FileError(`cannot fetch ${url}: the server answers ${response.status}; check the URL`);
  }
  const { headers, body } = response;
  // The length of a compressed response is not that of the file.
  const length = headers.has("content-encoding") ? null : headers.get("content-length");
  const size = length === null ? undefined : Number(length);
  const reader = body?.getReader();
  let chunk = new Uint8Array(0);
  let open = true;

  async function readAt(position: number, count: number): Promise<Uint8Array> {
    if (count === 0 || position >= size!) return new Uint8Array(0);
    const part = await request(url, { range: `bytes=${position}-${position + count - 1}` });
    if (part.status === 206) return new Uint8Array(await part.arrayBuffer());
    await part.body?.cancel();
    throw new FileError(`cannot fetch a part of ${url}: the server answers ${part.status}; check the server`);
  }

  return {
    size,
    async next(view) {
      while (chunk.length === 0) {
        const { done, value } = (await reader?.read().catch((cause: Error) => {
          throw new FileError(`cannot fetch ${url} to its end: ${cause.message}; try again`, { cause });
        })) ?? { done: true, value: undefined };
        if (done) return 0;
        chunk = value;
      }
      const count = Math.min(view.length, chunk.length);
      view.set(chunk.subarray(0, count));
      chunk = chunk.subarray(count);
      return count;
    },
    readAt: size !== undefined && headers.get("accept-ranges") === "bytes" ? readAt : undefined,
    async close() {
      if (!open) return;
      open = false;
      await reader?.cancel();
    },
  };
}

async function request(url: string, headers: Record<string, string> = {}): Promise<Response> {
  try {
    return await fetch(url, { headers });
  } catch (cause) {
    throw new FileError(`cannot fetch ${url}: ${(cause as Error).message}; check the URL and the network`, {
      cause,
    });
  }
}
