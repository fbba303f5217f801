/** Values that wait to be taken by one reader. */
export interface Inbox<T> extends AsyncIterable<T> {
  put(value: T): void;
  /** No more come; what is there is still given. */
  end(): void;
  /** Readers are told once what is there was given. */
  fail(error: unknown): void;
}

/** Makes a queue of one reader, without limit: what is put in are texts, seconds apart. */
export function createInbox<T>(): Inbox<T> {
  const values: T[] = [];
  let ended = false;
  let failure: { error: unknown } | undefined;
  let wake = () => {};
  return {
    put(value) {
      if (ended) return;
      values.push(value);
      wake();
    },
    end() {
      ended = true;
      wake();
    },
    fail(error) {
      failure ??= { error };
      ended = true;
      wake();
    },
    async *[Symbol.asyncIterator]() {
      while (true) {
        while (values.length > 0) yield values.shift()!;
        if (failure) throw failure.error;
        if (ended) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}
