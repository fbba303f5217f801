/** Node, Deno and Bun: all three offer the node: modules used here. */
import { access, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { availableParallelism, homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { FileError } from "../core/errors.ts";
import type { Adapter } from "./adapter.ts";

/** Plain words for the error codes that a user meets. */
const REASONS: Record<string, string> = {
  ENOENT: "no such file; check the path",
  EISDIR: "it is a directory; give a file",
  ENOTDIR: "a part of the path is not a directory; check the path",
  EACCES: "no permission; check the file's mode and owner",
  EPERM: "not permitted; check the file's mode and owner",
  ENOSPC: "the disk is full; free some space",
};

function fileError(verb: string, path: string, cause: unknown): FileError {
  const code = (cause as NodeJS.ErrnoException).code ?? "";
  return new FileError(`cannot ${verb} ${path}: ${REASONS[code] ?? (cause as Error).message}`, { cause });
}

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
    } catch {
      // Not installed there: the next place may have it, and the caller reports where it looked.
    }
  }
  return undefined;
}

export const adapter: Adapter = {
  runtime: runtimeName(),
  cores: availableParallelism(),
  join,
  async fileExists(path) {
    return access(path).then(
      () => true,
      () => false,
    );
  },
  async readFile(path) {
    try {
      return await readFile(path);
    } catch (cause) {
      throw fileError("read", path, cause);
    }
  },
  async writeFile(path, bytes) {
    try {
      await writeFile(path, bytes);
    } catch (cause) {
      throw fileError("write", path, cause);
    }
  },
  findPackage,
  modelCache: join(cacheDirectory(), "models"),
};
