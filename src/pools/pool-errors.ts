import { describe } from "../core/arguments.ts";
import { InvalidArgumentError, LeaseError, PoolClosedError, PoolExhaustedError } from "../core/errors.ts";

/** The error for a use after shutdown. */
export function closedError(name: string): PoolClosedError {
  return new PoolClosedError(`pool "${name}" was shut down; create another`);
}

/** The error for an acquire that found nothing: slots or memory ran out. */
export function exhaustedError(
  { name, max, bytes }: { name: string; max: number; bytes: number },
  inUse: number,
  total: number,
): PoolExhaustedError {
  const cause =
    inUse >= max
      ? `all ${max} buffers are leased; release one or create the pool with a larger max`
      : `${inUse} buffers are leased and ${total} of at most ${max} in service, but the core has no room for another ${bytes} bytes; create the core with a larger memoryBytes`;
  return new PoolExhaustedError(`pool "${name}": ${cause}`);
}

/** The error for a handle that the core refused. */
export function handleError(name: string, handle: number, foreign: boolean): LeaseError {
  const why = foreign ? "is none of this pool's" : "is not leased any more";
  return new LeaseError(`pool "${name}": handle ${handle} ${why}; use each lease until its release`);
}

/** The error for a lease, or anything else, that is given back to a pool that it is not of. */
export function foreignLeaseError(name: string, what: string): LeaseError {
  return new LeaseError(
    `pool "${name}": ${what} is not this pool's; release each lease where it was acquired`,
  );
}

/** The error for a number of slots that is none. */
export function slotCountError(
  name: string,
  what: string,
  value: unknown,
  max: number,
): InvalidArgumentError {
  return new InvalidArgumentError(
    `pool "${name}": ${what} ${describe(value)} slots; give an integer from 0 to ${max}`,
  );
}
