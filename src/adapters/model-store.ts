/** How a file's digest is taken: SHA-256 of its bytes, or git's name of the blob (SHA-1 of a header and the bytes). */
export type DigestKind = "sha256" | "git-sha1";

/** What a file will be when it is complete. */
export interface ExpectedFile {
  /** Length in bytes. */
  readonly size: number;
  readonly digestKind: DigestKind;
  /** Digest in lower-case hexadecimal digits. */
  readonly digest: string;
}

/**
 * A file that is being downloaded. It lies beside its target under the name of its digest, so that what is left of
 * an attempt, even of another process, is gone on with only when it is of the same content.
 */
export interface PartialFile {
  /** Bytes that are here. */
  readonly size: number;
  /**
   * Adds bytes to its end.
   *
   * @throws FileError when they cannot be written, such as on a full disk; what is here then stays usable.
   */
  write(chunk: Uint8Array): Promise<void>;
  /** Digest of what is here, of the kind that was expected, in lower-case hexadecimal digits. */
  digest(): Promise<string>;
  /** Throws away what is here, to start anew. */
  clear(): Promise<void>;
  /** Brings the bytes to the disk and puts the file in its place in one step, instead of an older one. */
  commit(): Promise<void>;
  /** Ends the writing; what is here, if anything, stays for a later attempt. Does nothing after `commit`. */
  close(): Promise<void>;
}

/** A file in the store. */
export interface StoredFile {
  /** Path relative to the directory that was listed, with slashes. */
  readonly path: string;
  readonly size: number;
  /** Whether it is a download that has not come to its end. */
  readonly partial: boolean;
}

/** Writes and manages downloaded models; the same for directories on a disk and for the storage of a browser. */
export interface ModelStore {
  /**
   * Opens a file for writing, or goes on with what an earlier attempt has left of it.
   *
   * @throws FileError when it cannot be written.
   */
  open(path: string, expected: ExpectedFile): Promise<PartialFile>;
  /** Whether a complete file of this length and digest is at `path`; its bytes are read for that. */
  holds(path: string, expected: ExpectedFile): Promise<boolean>;
  /** All files below a directory; none when there is no such directory. */
  list(directory: string): Promise<StoredFile[]>;
  /** Removes a directory with all files below it. */
  remove(directory: string): Promise<void>;
  /**
   * Does work on a directory while no one else does, in any process, tab or worker: later comers wait.
   *
   * @throws the signal's reason when it is aborted while waiting.
   */
  lock<T>(directory: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T>;
}

/** Name under which the beginning of a file lies until it is complete. */
export function partName(path: string, { digest }: ExpectedFile): string {
  return `${path}.${digest.slice(0, 16)}.part`;
}
