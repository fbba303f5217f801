import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const PROBE = fileURLToPath(new URL("allocation-probe.mjs", import.meta.url));
/** The probe's own two readings of the heap take a few hundred bytes, spread over the calls. */
const NOISE = 2;
/** A lease is a header of three words and three fields, of 8 bytes each. */
const LEASE_BYTES = 48;

it("computing, resampling and transforming allocate nothing, a cycle of two leases only these", () => {
  const flags = ["--expose-gc", "--max-semi-space-size=64", "--min-semi-space-size=64"];
  const out = execFileSync(process.execPath, [...flags, PROBE], { encoding: "utf8" });
  const { compute, blocks, seconds, transform, cycle } = JSON.parse(out) as Record<string, number>;
  expect(compute).toBeLessThanOrEqual(NOISE);
  expect(blocks).toBeLessThanOrEqual(NOISE);
  expect(seconds).toBeLessThanOrEqual(10 * NOISE); // a tenth of the calls share the noise
  expect(transform).toBeLessThanOrEqual(NOISE);
  expect(cycle).toBeLessThanOrEqual(2 * LEASE_BYTES + NOISE);
});
