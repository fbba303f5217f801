/** The model store on a disk: Node, Deno and Bun. */
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import { ABSENT, errorCode, fileError } from "./file-errors.ts";
import { withLock } from "./lock-file.ts";
import {
  type ExpectedFile,
  type ModelStore,
  type PartialFile,
  partName,
  type StoredFile,
} from "./model-store.ts";

const CHUNK_BYTES = 1 << 20;

/** A digest over what is to come; git puts the length before the bytes. */
function startDigest({ digestKind, size }: ExpectedFile): Hash {
  return digestKind === "sha256" ? createHash("sha256") : createHash("sha1").update(`blob ${size}\0`);
}

/** Takes the first `size` bytes of an open file into a digest. */
async function digestFile(handle: FileHandle, size: number, hash: Hash): Promise<void> {
  const buffer = new Uint8Array(Math.min(CHUNK_BYTES, size));
  for (let at = 0; at < size; ) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, size - at), at);
    if (bytesRead === 0) throw new Error("it ended early");
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}

/** Removes what attempts at other contents of the same file have left. */
async function removeOtherParts(path: string): Promise<void> {
  const names = await readdir(dirname(path));
  const parts = names.filter((name) => name.startsWith(`${basename(path)}.`) && name.endsWith(".part"));
  await Promise.all(parts.map((name) => rm(join(dirname(path), name), { force: true })));
}

/** Makes the renaming itself last through a loss of power, where directories can be opened (not on Windows). */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function openPartial(path: string, expected: ExpectedFile): Promise<PartialFile> {
  const part = partName(path, expected);
  /** Everything that the file system may refuse. */
  const attempt = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      throw fileError("write", part, cause);
    }
  };
  await attempt(() => mkdir(dirname(part), { recursive: true }));
  // Not "a+": writes name their place, so that two writers of the same content could do no harm.
  const handle = await attempt(async () => {
    try {
      return await open(part, "r+");
    } catch (cause) {
      if (errorCode(cause) !== "ENOENT") throw cause;
      return open(part, "w+");
    }
  });
  let hash = startDigest(expected);
  let size = 0;
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await handle.close();
    if (size === 0) await rm(part, { force: true }); // nothing to go on with
  };
  const clear = async () => {
    await handle.truncate(0);
    hash = startDigest(expected);
    size = 0;
  };
  try {
    await attempt(async () => {
      const left = (await handle.stat()).size;
      if (left > expected.size) return clear();
      await digestFile(handle, left, hash);
      size = left;
    });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    get size() {
      return size;
    },
    write: (chunk) =>
      attempt(async () => {
        for (let at = 0; at < chunk.length; ) {
          const { bytesWritten } = await handle.write(chunk, at, chunk.length - at, size);
          hash.update(chunk.subarray(at, at + bytesWritten));
          at += bytesWritten;
          size += bytesWritten;
        }
      }),
    digest: async () => hash.copy().digest("hex"),
    clear: () => attempt(clear),
    commit: () =>
      attempt(async () => {
        await handle.sync();
        closed = true;
        await handle.close();
        await rename(part, path);
        await syncDirectory(dirname(path));
        await removeOtherParts(path);
      }),
    close: () => attempt(close),
  };
}

async function holds(path: string, expected: ExpectedFile): Promise<boolean> {
  try {
    if ((await stat(path)).size !== expected.size) return false;
    const hash = startDigest(expected);
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES }))
      hash.update(chunk as Buffer);
    return hash.digest("hex") === expected.digest;
  } catch (cause) {
    if (ABSENT.has(errorCode(cause))) return false;
    throw fileError("read", path, cause);
  }
}

async function list(directory: string): Promise<StoredFile[]> {
  const files: StoredFile[] = [];
  const walk = async (folder: string): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      // A link to a directory is a directory: people keep models on other disks.
      const status = await stat(path).catch((cause: unknown) => {
        if (!ABSENT.has(errorCode(cause))) throw cause; // else removed just now, or a link to nowhere
      });
      if (status?.isDirectory()) await walk(path);
      else if (status && !entry.name.startsWith(".lock")) {
        const name = relative(directory, path).split(sep).join("/");
        files.push({ path: name, size: status.size, partial: name.endsWith(".part") });
      }
    }
  };
  try {
    await walk(directory);
  } catch (cause) {
    if (ABSENT.has(errorCode(cause))) return files;
    throw fileError("read", directory, cause);
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function remove(directory: string): Promise<void> {
  try {
    await rm(directory, { recursive: true, force: true });
  } catch (cause) {
    throw fileError("remove", directory, cause);
  }
}

/** The model store on the disk. */
export function createNodeStore(): ModelStore {
  return {
    open: openPartial,
    holds,
    list,
    remove,
    lock: (directory, signal, work) => withLock(join(directory, ".lock"), signal, work),
  };
}
