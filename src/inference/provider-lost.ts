import { InferenceError } from "../core/errors.ts";

/**
 * A provider went away, such as a GPU that was reset, with tensors that no other can read back. The session runs
 * on another provider by then: whoever holds such tensors makes them anew, from the last values on the host.
 */
export class ProviderLostError extends InferenceError {}
