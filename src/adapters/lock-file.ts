/** A lock between processes, as a file that only one of them can make. */
import { mkdir, open, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { errorCode, fileError } from "./file-errors.ts";

/** How often one that waits looks again. */
const LOOK_MS = 200;
/** How often the holder says that it lives, and after what silence it is taken for dead. */
const BEAT_MS = 5_000;
const SILENCE_MS = 30_000;

/** Whether the holder of a lock has ended without giving it back. */
async function abandoned(path: string): Promise<boolean> {
  try {
    if (Date.now() - (await stat(path)).mtimeMs > SILENCE_MS) return true;
    const [host, pid] = (await readFile(path, "utf8")).split(" ");
    // Just made, and its line not written yet; or of another machine, whose processes we do not see.
    if (host !== hostname() || !pid) return false;
    process.kill(Number(pid), 0);
    return false;
  } catch (cause) {
    if (errorCode(cause) === "ESRCH") return true;
    if (errorCode(cause) === "ENOENT") return false; // given back at this moment
    if (errorCode(cause) === "EPERM") return false; // it lives, as another user
    throw fileError("read", path, cause);
  }
}

/** Makes the lock file, and its directory, which may have been removed meanwhile; false when it is there already. */
async function take(path: string): Promise<boolean> {
  try {
    await mkdir(dirname(path), { recursive: true });
    const handle = await open(path, "wx");
    try {
      await handle.write(`${hostname()} ${process.pid}`);
    } finally {
      await handle.close();
    }
    return true;
  } catch (cause) {
    if (errorCode(cause) === "EEXIST") return false;
    if (errorCode(cause) === "ENOSPC") await rm(path, { force: true });
    throw fileError("write", path, cause);
  }
}

/**
 * Works while holding a lock file. A lock whose holder has died (its process is gone, or it has been silent for half
 * a minute) is taken over; should two take it over in the same moment, both write the same bytes to the same places.
 *
 * @throws FileError when the lock file cannot be made; the signal's reason when it is aborted while waiting.
 */
export async function withLock<T>(
  path: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  for (;;) {
    signal?.throwIfAborted();
    if (await take(path)) break;
    if (await abandoned(path)) {
      const aside = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
      // Renaming succeeds for one only; the others find no file and go on waiting.
      await rename(path, aside).then(
        () => rm(aside, { force: true }),
        (cause) => {
          if (errorCode(cause) !== "ENOENT") throw fileError("write", path, cause);
        },
      );
      continue;
    }
    await sleep(LOOK_MS, undefined, signal ? { signal } : {}).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw error;
    });
  }
  const beat = setInterval(() => {
    const now = new Date();
    // A beat that fails (the folder was removed) is no failure of the work; the next one may succeed.
    utimes(path, now, now).catch(() => undefined);
  }, BEAT_MS);
  beat.unref?.();
  try {
    return await work();
  } finally {
    clearInterval(beat);
    await rm(path, { force: true });
  }
}
