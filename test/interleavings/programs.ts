/** Programs of the model's agents: what makes sense for one agent to do, and the ways to combine them. */

/** What a program has acquired so far, were every acquire to succeed: references owed, oldest handle first. */
interface Progress {
  text: string;
  held: readonly number[];
  ended: boolean;
}

/**
 * Every program of `length` operations over the letters of operations.ts in which each has an object: a
 * release only of what is held, a second release only of what has ended. Shorter programs are the beginnings
 * of these, and the rules are checked there too.
 */
export function programsOf(letters: string, length: number): string[] {
  let programs: Progress[] = [{ text: "", held: [], ended: false }];
  for (let i = 0; i < length; i++) {
    programs = programs.flatMap((program) => [...letters].flatMap((letter) => extend(program, letter)));
  }
  return programs.map(({ text }) => text);
}

function extend({ text, held, ended }: Progress, letter: string): Progress[] {
  const on = (next: readonly number[], end = ended) => [{ text: text + letter, held: next, ended: end }];
  const last = held.length - 1;
  switch (letter) {
    case "A":
    case "B":
      return on([...held, 1]);
    case "R":
      if (held.length === 0) return [];
      return held[0]! > 1 ? on([held[0]! - 1, ...held.slice(1)]) : on(held.slice(1), true);
    case "N": // the same as R where one handle is held
      if (held.length < 2) return [];
      return held[last]! > 1 ? on([...held.slice(0, last), held[last]! - 1]) : on(held.slice(0, last), true);
    case "D":
      return ended ? on(held) : [];
    case "K":
      return held.length === 0 ? [] : on([...held.slice(0, last), held[last]! + 1]);
    default:
      return on(held);
  }
}

/** Every choice of `agents` programs out of a list, each set once: which agent runs which makes no difference. */
export function combinations(programs: readonly string[], agents: number): string[][] {
  if (agents === 0) return [[]];
  return programs.flatMap((program, i) =>
    combinations(programs.slice(i), agents - 1).map((others) => [program, ...others]),
  );
}
