import { expect, it } from "vitest";
import { type Contender, measureSuite, type Work } from "../../bench/harness/measure.mjs";

const EFFORT = { rounds: 3, turnMs: 1, warmUpMs: 1, budgetMs: 50, latencyMs: 0, counts: true };

function contender(name: string, work: Work, more: Partial<Contender> = {}): Contender {
  return { name, kind: "peer", prepare: () => work, ...more };
}

const suite = (contenders: Contender[]) => ({
  name: "sums",
  title: "Sums",
  jobs: () => [
    {
      name: "1 + 1",
      count: 2,
      contenders,
      check: (result: number) => ({ difference: Math.abs(result - 2), allowed: 0 }),
    },
  ],
});

async function entries(...contenders: Contender[]) {
  const context = { bytesPerCall: () => 10, collections: () => () => 0 };
  const { jobs } = await measureSuite(suite(contenders), context, EFFORT);
  return jobs[0]!.entries;
}

it("names what fails to load, is wrong or fails in a turn, and goes on with the rest", async () => {
  let calls = 0;
  const tired = () => {
    if (++calls > 1) throw new Error("no more");
    return 2;
  };
  const [absent, wrong, failing, good] = await entries(
    contender(
      "absent",
      { run: () => 2 },
      { prepare: () => Promise.reject(new Error("not installed\nat x")) },
    ),
    contender("wrong", { run: () => 3 }),
    contender("failing", { run: tired }),
    contender("good", { run: () => 2 }),
  );
  expect(absent).toEqual({ name: "absent", kind: "peer", failed: "not installed" });
  expect(wrong!.failed).toBe("wrong result: off the reference by 1, allowed 0");
  expect(failing!.failed).toBe("no more");
  expect(good).toMatchObject({ checksum: 2, difference: 0, bytes: 5, collections: 0 });
  expect(good!.samples).toHaveLength(EFFORT.rounds);
  expect(good!.p10).toBeLessThanOrEqual(good!.median!);
});

it("does not check what says that it computes something else, nor time what lacks the job", async () => {
  const [other, lacking] = await entries(
    contender("other", { run: () => 7 }, { other: "sevens" }),
    contender("lacking", { run: () => 2 }, { lacks: "even numbers only" }),
  );
  expect(other).toMatchObject({ other: "sevens", checksum: 7 });
  expect(other).not.toHaveProperty("failed");
  expect(lacking).toEqual({ name: "lacking", kind: "peer", lacks: "even numbers only" });
});

it("takes a contender's own clock, divides by the count, and closes each once", async () => {
  let closed = 0;
  const work = { run: () => 2, time: () => 8, close: () => closed++ };
  const [entry] = await entries(contender("own clock", work));
  expect(entry!.samples).toEqual([4, 4, 4]);
  expect(closed).toBe(1);
});

it("lets all take their turn in every round", async () => {
  const turns: string[] = [];
  const noting = (name: string) =>
    contender(name, {
      run: () => 2,
      time: () => {
        turns.push(name);
        return 1;
      },
    });
  await entries(noting("a"), noting("b"));
  const rounds = turns.slice(-2 * EFFORT.rounds);
  for (let i = 0; i < rounds.length; i += 2) expect(rounds.slice(i, i + 2).sort()).toEqual(["a", "b"]);
});
