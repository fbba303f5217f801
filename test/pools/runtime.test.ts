import { describe, expect, it } from "vitest";
import { adapter } from "#adapter";

describe("the runtime of these tests", () => {
  it("is the one that test/runtimes.test.ts means to run them in", () => {
    expect(adapter.runtime).toMatch(new RegExp(`^${process.env.EXPECT_RUNTIME ?? "Node"} \\d`));
  });
});
