/** The two builds of the core, for tests that are to pass on both. */
export const BUILDS = [
  { build: "plain build", threads: false },
  { build: "threads build", threads: true },
];
