/**
 * Where browsers keep bytes: the origin private file system (https://fs.spec.whatwg.org/), else the Cache API
 * (https://w3c.github.io/ServiceWorker/#cache-interface). Both put a whole value in place or nothing.
 */
import { FileError } from "../core/errors.ts";

/** Values by name. A name may hold any characters. */
export interface Segments {
  /** @throws FileError when the browser has no room for it. */
  put(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** The value, read from storage as it is used; undefined when there is none. */
  get(name: string): Promise<Blob | undefined>;
  /** Names that begin with `prefix`, sorted. */
  names(prefix: string): Promise<string[]>;
  /** Removes a value, if there is one. */
  delete(name: string): Promise<void>;
}

/** Folder of the origin private file system, and name of the cache. */
const PLACE = "wavepool";
/** A cache holds answers to requests; these are never sent. */
const CACHE_URL = "https://wavepool.invalid/";

function isNamed(cause: unknown, name: string): boolean {
  return cause instanceof Error && cause.name === name;
}

function writeError(name: string, cause: unknown): FileError {
  const reason = isNamed(cause, "QuotaExceededError")
    ? "the browser's storage is full; remove other models or give the site more room"
    : `${(cause as Error).message}; check the browser's settings for site data`;
  return new FileError(`cannot write ${name}: ${reason}`, { cause });
}

type Folder = FileSystemDirectoryHandle & { keys(): AsyncIterableIterator<string> };

/** One flat folder, for file names may hold anything but a slash once they are percent-encoded. */
async function fileSystemSegments(): Promise<Segments> {
  const root = await navigator.storage.getDirectory();
  const folder = (await root.getDirectoryHandle(PLACE, { create: true })) as Folder;
  return {
    async put(name, bytes) {
      try {
        const handle = await folder.getFileHandle(encodeURIComponent(name), { create: true });
        const file = await handle.createWritable();
        try {
          await file.write(bytes);
        } catch (cause) {
          await file.abort();
          throw cause;
        }
        await file.close(); // only now do the bytes take the place of what was there
      } catch (cause) {
        throw writeError(name, cause);
      }
    },
    async get(name) {
      try {
        const file = await (await folder.getFileHandle(encodeURIComponent(name))).getFile();
        // A page that went away before its first close has left an empty file.
        return file.size > 0 ? file : undefined;
      } catch (cause) {
        if (isNamed(cause, "NotFoundError")) return undefined;
        throw new FileError(`cannot read ${name}: ${(cause as Error).message}; fetch the model again`, {
          cause,
        });
      }
    },
    async names(prefix) {
      const found: string[] = [];
      for await (const key of folder.keys()) {
        const name = decodeURIComponent(key);
        if (name.startsWith(prefix)) found.push(name);
      }
      return found.sort();
    },
    async delete(name) {
      try {
        await folder.removeEntry(encodeURIComponent(name));
      } catch (cause) {
        if (!isNamed(cause, "NotFoundError")) throw writeError(name, cause);
      }
    },
  };
}

async function cacheSegments(): Promise<Segments> {
  const cache = await caches.open(PLACE);
  const url = (name: string) => CACHE_URL + encodeURIComponent(name);
  return {
    async put(name, bytes) {
      try {
        await cache.put(url(name), new Response(bytes));
      } catch (cause) {
        throw writeError(name, cause);
      }
    },
    get: async (name) => (await cache.match(url(name)))?.blob(),
    async names(prefix) {
      const names = (await cache.keys()).map((request) =>
        decodeURIComponent(request.url.slice(CACHE_URL.length)),
      );
      return names.filter((name) => name.startsWith(prefix)).sort();
    },
    delete: async (name) => void (await cache.delete(url(name))),
  };
}

/**
 * Whether this page or worker has a place to keep anything: both kinds of storage need a secure context. They are not
 * looked at closer than this, for in sandboxed frames that alone throws.
 */
export const hasStorage =
  typeof globalThis.navigator?.storage?.getDirectory === "function" || "caches" in globalThis;

let opened: Promise<Segments> | undefined;

/** The file system where it can be written to from pages (Safari before 26 cannot), else a cache. */
async function openSegments(): Promise<Segments> {
  const writable =
    typeof FileSystemFileHandle === "function" && "createWritable" in FileSystemFileHandle.prototype;
  if (writable && typeof navigator.storage?.getDirectory === "function") {
    try {
      return await fileSystemSegments();
    } catch (cause) {
      // Refused in private windows of some browsers, which have caches all the same.
      if (!isNamed(cause, "SecurityError") && !isNamed(cause, "UnknownError")) throw cause;
    }
  }
  return cacheSegments();
}

/**
 * The storage of this origin, opened once.
 *
 * @throws FileError when the browser does not allow it.
 */
export function segments(): Promise<Segments> {
  opened ??= openSegments().catch((cause: unknown) => {
    opened = undefined; // the user may allow it
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FileError(
      `cannot open the browser's storage: ${reason}; allow site data, or give the URL of a model`,
      { cause },
    );
  });
  return opened;
}
