import { InferenceError } from "../core/errors.ts";

/**
 * A provider went away, such as a GPU that was reset, with tensors that no other can read back. The session's next
 * run is on another provider if there is one: whoever holds such tensors makes them anew, from the last values on
 * the host, and gives up when that fails too.
 */
export class ProviderLostError extends InferenceError {
  override name = "ProviderLostError";
}
