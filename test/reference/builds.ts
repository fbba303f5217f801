import { relaxedSimdWorks } from "../../src/core/runtime-probes.ts";

/** The two builds of the core, for tests that are to pass on both. */
export const BUILDS = [
  { build: "plain build", threads: false },
  { build: "threads build", threads: true },
];

/**
 * Those and their relaxed twins, as far as this runtime has relaxed SIMD, for tests of kernels: vitest.config.ts
 * gives it to Node, so that one process holds all four against the same references.
 */
export const KERNEL_BUILDS = (relaxedSimdWorks() ? [false, true] : [false]).flatMap((relaxed) =>
  BUILDS.map(({ build, threads }) => ({ build: relaxed ? `relaxed ${build}` : build, threads, relaxed })),
);
