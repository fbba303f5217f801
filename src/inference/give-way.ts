import { adapter } from "#adapter";

/**
 * Lets timers, events and other requests have their turn, for a session blocks the thread while it runs.
 *
 * @throws the signal's reason when it is aborted by then.
 */
export async function giveWay(signal: AbortSignal | undefined): Promise<void> {
  await adapter.nextTask();
  signal?.throwIfAborted();
}
