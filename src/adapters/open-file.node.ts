import { type FileHandle, open } from "node:fs/promises";
import { FileError } from "../core/errors.ts";
import type { OpenFile } from "./adapter.ts";

/**
 * Opens a file or a named pipe for reading.
 *
 * @param toError puts the runtime's error into words
 * @throws FileError when it is not there, a directory or a device, or may not be read.
 */
export async function openFile(path: string, toError: (cause: unknown) => FileError): Promise<OpenFile> {
  const told = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (cause) {
      throw toError(cause);
    }
  };
  const handle = await told(open(path, "r"));
  try {
    const status = await told(handle.stat());
    if (status.isDirectory()) throw toError(Object.assign(new Error("directory"), { code: "EISDIR" }));
    // A device such as /dev/zero has no end.
    if (status.isCharacterDevice()) {
      throw new FileError(`cannot read ${path}: it is a device; give a file`);
    }
    return reading(handle, status.isFile() ? status.size : undefined, told);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function reading(
  handle: FileHandle,
  size: number | undefined,
  told: <T>(work: Promise<T>) => Promise<T>,
): OpenFile {
  let position = 0;
  let closing: Promise<void> | undefined;

  async function readAt(at: number, length: number): Promise<Uint8Array> {
    const view = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await told(handle.read(view, filled, length - filled, at + filled));
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return view.subarray(0, filled);
  }

  return {
    size,
    async next(view) {
      // Pipes have no positions.
      const at = size === undefined ? null : position;
      const { bytesRead } = await told(handle.read(view, 0, view.length, at));
      position += bytesRead;
      return bytesRead;
    },
    readAt: size === undefined ? undefined : readAt,
    close() {
      closing ??= told(handle.close());
      return closing;
    },
  };
}
