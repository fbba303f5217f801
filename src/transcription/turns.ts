import { orAborted } from "../audio/interruption.ts";

/** Lets one caller at a time at the sessions, in order of arrival. */
export interface Turns {
  /**
   * Waits for a turn.
   *
   * @returns a function that ends it; calling that twice does nothing.
   * @throws the signal's reason when it aborts before the turn comes.
   */
  take(signal?: AbortSignal): Promise<() => void>;
}

export function createTurns(): Turns {
  let last: Promise<void> = Promise.resolve();
  return {
    async take(signal) {
      signal?.throwIfAborted();
      let end!: () => void;
      const mine = new Promise<void>((resolve) => {
        end = resolve;
      });
      const before = last;
      last = before.then(() => mine);
      try {
        await orAborted(before, signal);
      } catch (error) {
        end(); // whoever waits behind must not wait for us
        throw error;
      }
      return end;
    },
  };
}
