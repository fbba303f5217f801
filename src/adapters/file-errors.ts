/** Errors of the file system in Node, Deno and Bun. */
import { FileError } from "../core/errors.ts";

/** Plain words for the error codes that a user meets. */
const REASONS: Record<string, string> = {
  ENOENT: "no such file or folder; check the path",
  EISDIR: "it is a directory; give a file",
  ENOTDIR: "a part of the path is not a directory; check the path",
  ENAMETOOLONG: "the name is too long; shorten it",
  ERR_FS_FILE_TOO_LARGE: "it holds more than 2 GiB; cut it first (ffmpeg -t 3600)",
  EACCES: "no permission; check the file's mode and owner",
  EPERM: "not permitted; check the file's mode and owner",
  ENOSPC: "the disk is full; free some space",
  EDQUOT: "the disk quota is used up; free some space",
  EROFS: "the file system is read-only; choose another folder",
};

/** Codes that say no more than that a file or package is not there. */
export const ABSENT = new Set(["ENOENT", "ENOTDIR", "MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND"]);

/** The code of a system error, or "". */
export function errorCode(cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code ?? "";
}

/** An error of the file system in plain words. */
export function fileError(verb: "read" | "write" | "remove", path: string, cause: unknown): FileError {
  const reason = REASONS[errorCode(cause)] ?? `${(cause as Error).message}; check the path`;
  return new FileError(`cannot ${verb} ${path === "" ? '""' : path}: ${reason}`, { cause });
}
