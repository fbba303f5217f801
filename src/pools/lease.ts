import { describe } from "../core/arguments.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import type { BufferPool } from "./buffer-pool.ts";
import type { Dtype, DtypeArrays } from "./dtype.ts";

/** Safari has no Symbol.dispose yet; compilers that lower `using` look for this registered symbol instead. */
export const dispose: typeof Symbol.dispose =
  Symbol.dispose ?? (Symbol.for("Symbol.dispose") as typeof Symbol.dispose);

/**
 * One reference to a pooled buffer. `view` is valid until `release()`; reading it later throws.
 *
 * This is the one object that acquiring allocates: three fields, no closures. Its methods sit on the
 * prototype, the handle is a small integer and the view is the slot's own, made once. A lease of its
 * own for each tenancy, rather than one reused per slot, is what tells a stale lease from a live one.
 */
export class Lease<D extends Dtype = Dtype> {
  readonly #pool: BufferPool<D>;
  readonly #handle: number;
  #view: DtypeArrays[D] | undefined;

  /** @internal Leases come from {@link BufferPool.acquire}. */
  constructor(pool: BufferPool<D>, handle: number, view: DtypeArrays[D]) {
    this.#pool = pool;
    this.#handle = handle;
    this.#view = view;
  }

  /**
   * The whole buffer as a typed array over the core's memory. Its contents are what the last tenant left,
   * or zeros in a pool with `zeroOnRelease`.
   *
   * @throws LeaseError after release, and when another agent has ended the lease.
   */
  get view(): DtypeArrays[D] {
    if (this.#view !== undefined && this.#pool.isAlive(this.#handle)) return this.#view;
    throw this.#pool.staleUse("used");
  }

  /** Whether this reference has been given back. */
  get released(): boolean {
    return this.#view === undefined;
  }

  /** Whether the buffer is still leased, as the core knows it: false too when another agent ended the lease. */
  get alive(): boolean {
    return this.#view !== undefined && this.#pool.isAlive(this.#handle);
  }

  /** Shape of the buffer. */
  get shape(): readonly number[] {
    return this.#pool.shape;
  }

  /**
   * A further reference to the same buffer, to be released on its own; the buffer returns to its pool with
   * the last one.
   *
   * @throws LeaseError when this reference has been given back.
   */
  retain(): Lease<D> {
    const view = this.#view;
    if (view === undefined) throw this.#pool.staleUse("retained");
    return this.#pool.retain(this.#handle, view);
  }

  /**
   * Entries `begin` to `end` (exclusive) of the view. A subview is only a typed array: it cannot be given
   * back in place of the lease.
   *
   * @throws InvalidArgumentError when the range does not lie in the view.
   * @throws LeaseError after release.
   */
  subview(begin: number, end: number = this.view.length): DtypeArrays[D] {
    const { view } = this;
    if (!Number.isInteger(begin) || !Number.isInteger(end) || begin < 0 || end < begin || end > view.length) {
      throw new InvalidArgumentError(
        `pool "${this.#pool.name}": subview from ${describe(begin)} to ${describe(end)}; give integers from 0 to ${view.length}, in order`,
      );
    }
    return view.subarray(begin, end) as DtypeArrays[D];
  }

  /**
   * Gives this reference back.
   *
   * @throws LeaseError when it was given back before; the pool counts that and stays as it was.
   */
  release(): void {
    // The core would tell a stale handle too, but only until its generation comes round again.
    if (this.#view === undefined) throw this.#pool.secondRelease();
    this.#view = undefined;
    this.#pool.takeBack(this.#handle, this);
  }

  /**
   * Gives this reference away: the number, posted to another agent, becomes a lease there with
   * `pool.adopt(handle)`. This lease counts as released; until it is adopted, the reference is no agent's.
   *
   * @throws LeaseError when it was given back before.
   */
  handOver(): number {
    if (this.#view === undefined) throw this.#pool.staleUse("handed over");
    this.#view = undefined;
    this.#pool.handOver(this.#handle, this);
    return this.#handle;
  }

  /** Gives the reference back at the end of a `using` block; does nothing if that has happened already. */
  [dispose](): void {
    if (this.#view !== undefined) this.release();
  }

  /** @internal Whether this is a lease of `pool`. */
  isOf(pool: BufferPool<Dtype>): boolean {
    return (this.#pool as unknown as BufferPool).sameAs(pool);
  }
}
