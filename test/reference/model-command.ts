import type fc from "fast-check";

/** A command that acts on model and real thing alike, and then compares them. */
export function modelCommand<M extends object, R>(
  compare: (model: M, real: R) => void,
): (
  name: string,
  ready: (model: Readonly<M>) => boolean,
  act: (model: M, real: R) => void,
) => fc.Command<M, R> {
  return (name, ready, act) => ({
    check: ready,
    run(model, real) {
      act(model, real);
      compare(model, real);
    },
    toString: () => name,
  });
}
