/**
 * The model store in browsers. A file is a manifest and the segments that it names: neither kind of storage can add
 * to what it holds, and a segment that is down survives the end of the page. The manifest, written last and in one
 * step, is what makes the file exist.
 */
import { FileError } from "../core/errors.ts";
import {
  type ExpectedFile,
  type ModelStore,
  type PartialFile,
  partName,
  type StoredFile,
} from "./model-store.ts";
import { segments } from "./segments.ts";

/** What paths of stored files begin with. */
export const STORE_SCHEME = "wavepool:";
/** Bytes of a segment: what the end of a page can cost at most. */
const SEGMENT_BYTES = 8 << 20;

interface Manifest {
  size: number;
  segments: string[];
}

async function manifestOf(path: string): Promise<Manifest | undefined> {
  const blob = await (await segments()).get(path);
  return blob && (JSON.parse(await blob.text()) as Manifest);
}

/** Length in bytes of a stored file; undefined when there is none. */
export async function storedSize(path: string): Promise<number | undefined> {
  return (await manifestOf(path))?.size;
}

/** The segments of a file as one blob, whose bytes are read as they are used. */
async function join(names: readonly string[], path: string): Promise<Blob> {
  const storage = await segments();
  const blobs = await Promise.all(names.map((name) => storage.get(name)));
  if (blobs.includes(undefined)) {
    throw new FileError(`cannot read ${path}: the browser has removed a part of it; fetch the model again`);
  }
  return new Blob(blobs as Blob[]);
}

/**
 * Reads a stored file.
 *
 * @throws FileError when there is none, or the browser has thrown away a part of it.
 */
export async function readStored(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const manifest = await manifestOf(path);
  if (!manifest) throw new FileError(`cannot read ${path}: no such file in the browser's storage`);
  return new Uint8Array(await (await join(manifest.segments, path)).arrayBuffer());
}

/** Taken in one piece, for Web Crypto knows no other way; the file is to be read as a whole anyway. */
async function digestOf(blob: Blob, { digestKind }: ExpectedFile): Promise<string> {
  const whole = digestKind === "sha256" ? blob : new Blob([`blob ${blob.size}\0`, blob]);
  const name = digestKind === "sha256" ? "SHA-256" : "SHA-1";
  const digest = await crypto.subtle.digest(name, await whole.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Numbers with zeros before them, so that names sort as they are to be joined. */
function segmentName(part: string, index: number): string {
  return `${part}#${String(index).padStart(6, "0")}`;
}

async function openPartial(path: string, expected: ExpectedFile): Promise<PartialFile> {
  const storage = await segments();
  const part = partName(path, expected);
  /** Segments that are down, without a gap. */
  const names: string[] = [];
  let size = 0;
  for (const name of await storage.names(`${part}#`)) {
    const blob = await storage.get(name);
    if (!blob || name !== segmentName(part, names.length)) break;
    names.push(name);
    size += blob.size;
  }
  /** What makes no whole segment yet. */
  const rest = new Uint8Array(Math.min(SEGMENT_BYTES, expected.size));
  let filled = 0;
  const flush = async () => {
    if (filled === 0) return;
    const name = segmentName(part, names.length);
    await storage.put(name, rest.slice(0, filled));
    names.push(name);
    filled = 0;
  };
  const clear = async () => {
    for (const name of await storage.names(`${part}#`)) await storage.delete(name);
    names.length = 0;
    filled = 0;
    size = 0;
  };
  if (size > expected.size) await clear();
  let done = false;
  return {
    get size() {
      return size;
    },
    async write(chunk) {
      for (let at = 0; at < chunk.length; ) {
        const taken = Math.min(chunk.length - at, rest.length - filled);
        rest.set(chunk.subarray(at, at + taken), filled);
        filled += taken;
        at += taken;
        size += taken;
        if (filled === rest.length) {
          try {
            await flush();
          } catch (error) {
            size -= filled; // what is not down is not here
            filled = 0;
            throw error;
          }
        }
      }
    },
    async digest() {
      await flush();
      return digestOf(await join(names, path), expected);
    },
    clear,
    async commit() {
      await flush();
      const manifest: Manifest = { size, segments: names };
      await storage.put(path, new TextEncoder().encode(JSON.stringify(manifest)));
      done = true;
      // Segments of an older content, or of an attempt at it.
      for (const name of await storage.names(`${path}.`)) {
        if (!names.includes(name)) await storage.delete(name);
      }
    },
    async close() {
      if (!done) await flush();
      done = true;
    },
  };
}

/** A path with its segments' numbers cut off, or undefined for a manifest. */
function partOf(name: string): string | undefined {
  return /^(.*\.part)#\d+$/.exec(name)?.[1];
}

async function list(directory: string): Promise<StoredFile[]> {
  const storage = await segments();
  const prefix = `${directory.replace(/\/$/, "")}/`;
  const names = await storage.names(prefix);
  const files: StoredFile[] = [];
  const used = new Set<string>();
  for (const name of names.filter((name) => partOf(name) === undefined)) {
    const manifest = await manifestOf(name);
    if (!manifest) continue; // removed just now
    for (const segment of manifest.segments) used.add(segment);
    files.push({ path: name.slice(prefix.length), size: manifest.size, partial: false });
  }
  const parts = new Map<string, number>();
  for (const name of names) {
    const part = partOf(name);
    if (part === undefined || used.has(name)) continue;
    parts.set(part, (parts.get(part) ?? 0) + ((await storage.get(name))?.size ?? 0));
  }
  for (const [part, size] of parts) files.push({ path: part.slice(prefix.length), size, partial: true });
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The model store in the storage of this origin. */
export function createBrowserStore(): ModelStore {
  return {
    open: openPartial,
    async holds(path, expected) {
      const manifest = await manifestOf(path);
      if (manifest?.size !== expected.size) return false;
      const blob = await join(manifest.segments, path).catch(() => undefined); // a part is gone: fetch it anew
      return blob !== undefined && (await digestOf(blob, expected)) === expected.digest;
    },
    list,
    async remove(directory) {
      const storage = await segments();
      const names = await storage.names(`${directory.replace(/\/$/, "")}/`);
      // Manifests first: a file without all its segments must not be found.
      const manifests = names.filter((name) => partOf(name) === undefined);
      for (const name of [...manifests, ...names.filter((name) => partOf(name) !== undefined)]) {
        await storage.delete(name);
      }
    },
    async lock(directory, signal, work) {
      signal?.throwIfAborted();
      if (!navigator.locks) return work();
      return navigator.locks.request(directory, signal ? { signal } : {}, work);
    },
  };
}
