import { access, constants, mkdir, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { adapter } from "#adapter";
import { FileError, messageOf } from "../core/errors.ts";

/**
 * Writes a text file under another name and gives it its own when it is whole, so that nobody ever sees a half.
 * What is no plain file, such as a pipe or /dev/stdout, is written to as it is.
 *
 * @throws FileError naming the path and what is wrong with it.
 */
export async function writeWholeFile(path: string, text: string): Promise<void> {
  const there = await stat(path).catch(() => undefined);
  if (there && !there.isFile()) {
    await adapter.writeFile(path, new TextEncoder().encode(text));
    return;
  }
  // Through a link to the file behind it, which the rename would otherwise replace.
  const target = there ? await realpath(path) : path;
  const draft = join(dirname(target), `.${basename(target).slice(0, 100)}.${process.pid}.tmp`);
  try {
    await adapter.writeFile(draft, new TextEncoder().encode(text));
    await rename(draft, target);
  } catch (cause) {
    await rm(draft, { force: true });
    const reason = messageOf(cause).replace(draft, path);
    throw new FileError(cause instanceof FileError ? reason : `cannot write ${path}: ${reason}`, { cause });
  }
}

/**
 * Makes a folder to write into, before the work whose outcome goes there.
 *
 * @throws FileError when it cannot be made or written to.
 */
export async function prepareFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
    await access(path, constants.W_OK);
  } catch (cause) {
    throw new FileError(`cannot write into ${path}: ${messageOf(cause)}; give another folder`, { cause });
  }
}

/**
 * Checks that a file could be written, before the work whose outcome it is to be.
 *
 * @throws FileError naming the file when its folder is not there or not to be written to.
 */
export async function assertWritable(path: string): Promise<void> {
  const there = await stat(path).catch(() => undefined);
  if (there?.isDirectory()) throw new FileError(`cannot write ${path}: it is a directory; give a file`);
  if (there && !there.isFile()) return;
  try {
    await access(dirname(there ? await realpath(path) : path), constants.W_OK);
  } catch (cause) {
    throw new FileError(
      `cannot write ${path}: its folder is not there or not to be written to; check the path`,
      { cause },
    );
  }
}
