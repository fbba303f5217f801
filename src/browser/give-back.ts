/** What is to be given back in the end, last taken first. */
export interface Belongings {
  /** Adds an end, and returns the value that it is for. */
  own<T>(value: T, end: (value: T) => unknown): T;
  /** Runs all ends, once; one that throws holds none of the others up. @throws the first error. */
  giveBack(): Promise<void>;
}

export function createBelongings(): Belongings {
  const ends: (() => unknown)[] = [];
  return {
    own(value, end) {
      ends.push(() => end(value));
      return value;
    },
    async giveBack() {
      const errors: unknown[] = [];
      for (const end of ends.splice(0).reverse()) {
        try {
          await end();
        } catch (error) {
          errors.push(error);
        }
      }
      if (errors.length > 0) throw errors[0];
    },
  };
}
