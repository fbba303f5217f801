import { expect, it } from "vitest";
import { serviceResult } from "../../bench/harness/service.mjs";
import { WORDS } from "../reference/sample.ts";

const rows = (clients: number, ms: number) => {
  const latencies = Array.from({ length: 8 }, (_, i) => ms + i);
  const ends = [0, 1].map(() => [1, 2, 3, 4].map((nth) => (100 * nth) / clients));
  return { clients, each: { latencies, ends } };
};
const contender = (name: string, leaks: unknown[], text = WORDS) => ({
  ...{ name, leaks, text },
  rows: [rows(1, 100), rows(4, 400)],
});

it("keeps each request's latency, and of several clients the time between answers in blocks", () => {
  const { jobs } = serviceResult([contender("pools on", []), contender("pools off", [])]);
  expect(jobs.map(({ name, unit }) => `${name}, ${unit}`)).toEqual([
    "1 client, a request, ms",
    "4 clients, a request, ms",
    "4 clients, between answers, ms",
  ]);
  const [alone, , between] = jobs.map(({ entries }) => entries[0]!);
  expect(alone!.samples).toEqual([100, 101, 102, 103, 104, 105, 106, 107]);
  expect(alone!.p10).toBeLessThan(alone!.p90!);
  expect(between!.samples).toEqual([25, 25]);
});

it("fails a service that answers with other words", () => {
  const { jobs } = serviceResult([contender("pools on", []), contender("pools off", [], "Bad evening.")]);
  for (const { entries } of jobs) {
    expect(entries[0]).toMatchObject({ difference: 0 });
    expect(entries[1]).toMatchObject({ failed: "wrong text: Bad evening." });
  }
});

it("fails a service that leaked", () => {
  const { jobs } = serviceResult([contender("pools on", [{}]), contender("pools off", [])]);
  for (const { entries } of jobs) {
    expect(entries[0]).toMatchObject({ failed: "1 leases leaked" });
    expect(entries[1]!.failed).toBeUndefined();
  }
});
