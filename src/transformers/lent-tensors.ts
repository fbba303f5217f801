import type { Lease } from "../pools/lease.ts";
import type { TensorClass, TensorLike } from "./extractor.ts";

/** A tensor over a leased buffer. */
interface Loan {
  readonly lease: Lease<"f32">;
  readonly tensor: WeakRef<TensorLike>;
  readonly loans: Loans;
}

/** The tensors of one extractor whose leases last. */
export type Loans = Set<Loan>;

/** Ends the leases of tensors that nobody can read any more. One for all, so that it outlives every extractor. */
const collected = new FinalizationRegistry(end);

function end(loan: Loan): void {
  loan.loans.delete(loan);
  // The lease may have been ended from elsewhere; a finalizer has nobody to throw to.
  if (loan.lease.alive) loan.lease.release();
}

/**
 * Makes a tensor over a leased buffer. The lease ends when the tensor is disposed, or when neither it nor its data,
 * nor what transformers.js makes of them without copying (`view`, `[i]`, iteration), can be reached any more.
 *
 * @param view a typed array over the buffer made for this tensor alone: its lifetime is what counts.
 */
export function lendTensor(
  Tensor: TensorClass,
  view: Float32Array | BigInt64Array,
  dims: readonly number[],
  lease: Lease<"f32">,
  loans: Loans,
): TensorLike {
  keepThroughSubarrays(view, view);
  const tensor = newTensor(Tensor, view, dims);
  const loan: Loan = { lease, tensor: new WeakRef(tensor), loans };
  loans.add(loan);
  collected.register(view, loan, loan);
  const { dispose } = tensor;
  Object.defineProperty(tensor, "dispose", {
    configurable: true,
    writable: true,
    value(this: TensorLike) {
      dispose.call(this);
      collected.unregister(loan);
      end(loan);
    },
  });
  return tensor;
}

/** A tensor of the type that its data have. */
export function newTensor(
  Tensor: TensorClass,
  data: Float32Array | BigInt64Array,
  dims: readonly number[],
): TensorLike {
  return new Tensor(data instanceof Float32Array ? "float32" : "int64", data, [...dims]);
}

/** Disposes every tensor whose lease lasts. */
export function disposeAll(loans: Loans): void {
  for (const loan of [...loans]) {
    const tensor = loan.tensor.deref();
    if (tensor) tensor.dispose();
    collected.unregister(loan);
    end(loan);
  }
}

/**
 * A part taken with `subarray` is an array of its own, which knows the memory but not the array that it came from.
 * This makes it hold that array (its own `subarray` does), so that the lease lasts as long as the part.
 */
function keepThroughSubarrays(part: Float32Array | BigInt64Array, whole: object): void {
  const subarray = part.subarray as (this: typeof part, ...range: number[]) => typeof part;
  Object.defineProperty(part, "subarray", {
    configurable: true,
    value(this: typeof part, ...range: number[]) {
      const smaller = subarray.apply(this, range);
      keepThroughSubarrays(smaller, whole);
      return smaller;
    },
  });
}
