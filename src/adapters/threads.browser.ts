import { UnsupportedRuntimeError } from "../core/errors.ts";

/** Pages start their own workers, from files that their bundler knows. @throws UnsupportedRuntimeError always. */
export function startThread(): never {
  throw new UnsupportedRuntimeError(
    "wavepool starts no threads of its programs in browsers; make the transcriber in a worker of yours instead",
  );
}

/** See {@link startThread}. @throws UnsupportedRuntimeError always. */
export const threadHost = startThread;
