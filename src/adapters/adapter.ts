import type { ModelStore } from "./model-store.ts";

/** A figure that tells how hard the runtime is pressed. */
export interface PressureReader {
  /** What is read, such as "process memory". */
  readonly name: string;
  /** `"memory"` in bytes, `"cpu"` as a share from 0 to 1 since the last reading. */
  readonly kind: "memory" | "cpu";
  /** The figure now; undefined while there is none yet. */
  read(): number | undefined;
  /** Stops observing. */
  stop(): void;
}

/** What a worker of the core is started with. */
export interface CoreWorkerStart {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  /** Address of the crew's job, and the worker's number in the crew. */
  job: number;
  member: number;
}

/** A worker that runs nothing but the core. */
export interface CoreWorker {
  /** Resolves when it has ended, by itself or otherwise. */
  readonly ended: Promise<void>;
  terminate(): void;
}

/** A file that is open for reading. */
export interface OpenFile {
  /** Bytes in it; undefined where nobody knows before the end: pipes, some servers. */
  readonly size: number | undefined;
  /**
   * Reads on from where the last call ended, into `view` from its start.
   *
   * @returns the number of bytes read, 0 at the end.
   * @throws FileError naming the path and what is wrong with it.
   */
  next(view: Uint8Array): Promise<number>;
  /**
   * Reads up to `length` bytes from `position` on, fewer only at the end; leaves `next` where it is.
   * Undefined for what can be read in order only.
   */
  readonly readAt: ((position: number, length: number) => Promise<Uint8Array>) | undefined;
  /** Closes the file. Further calls do nothing. */
  close(): Promise<void>;
}

/** What wavepool asks of the runtime it is in. Everything that differs between runtimes is behind this. */
export interface Adapter {
  /** Runtime and version, such as "Node 20.20.2". */
  readonly runtime: string;
  /** Cores that threads can be spread over. */
  readonly cores: number;
  /** Joins a directory (or base URL) and a relative path. */
  join(directory: string, path: string): string;
  /** Whether a file is there. */
  fileExists(path: string): Promise<boolean>;
  /**
   * Reads a whole file.
   *
   * @throws FileError naming the path and what is wrong with it.
   */
  readFile(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Opens a file (in browsers a URL) for reading piece by piece.
   *
   * @throws FileError naming the path and what is wrong with it.
   */
  openFile(path: string): Promise<OpenFile>;
  /**
   * Writes a whole file.
   *
   * @throws FileError naming the path and what is wrong with it.
   */
  writeFile(path: string, bytes: Uint8Array): Promise<void>;
  /** Directory of an installed npm package, looked up from the working directory, then from wavepool. */
  findPackage(name: string): string | undefined;
  /** Resolves in a later task, so that timers, events and other requests get their turn in between. */
  nextTask(): Promise<void>;
  /** Whether two paths name the same existing file. */
  sameFile(a: string, b: string): Promise<boolean>;
  /** Begins to observe what this runtime tells of its memory and processor. */
  pressureReaders(): PressureReader[];
  /**
   * Starts a worker that serves a crew (assembly/features/crew.ts) until it is told to end; it does not keep the
   * process alive. `onFailure` is told why when it ends for another reason.
   */
  startCoreWorker(start: CoreWorkerStart, onFailure: (reason: string) => void): CoreWorker;
  /** Lets about a millisecond pass without a new task, where the runtime lets this thread block at all. */
  pause(words: Int32Array): void;
  /** Where downloaded models are kept, if the runtime has such a place: a path that `join` and `readFile` take. */
  readonly modelCache: string | undefined;
  /** Writes and manages the files in `modelCache`; undefined where there is none. */
  readonly modelStore: ModelStore | undefined;
  /** Whether paths are URLs, and looking for a file is a request. */
  readonly filesAreUrls: boolean;
  /** A variable of the environment, where the runtime has one. */
  environment(name: string): string | undefined;
}
