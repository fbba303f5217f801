/**
 * Random cases that a property is tried on, or rounds of threads: all of them in Node, a fifth in other runtimes and in pages, where
 * the core is the same and only what is around it differs.
 */
export function runs(inNode: number): number {
  const elsewhere = typeof process === "undefined" || process.env.EXPECT_RUNTIME !== undefined;
  return elsewhere ? Math.ceil(inNode / 5) : inNode;
}
