/** Which of the core's binaries this runtime takes by default: "base", "relaxed", "threads" or "threads, relaxed". */
export async function coreBinary({ createCore }) {
  const { threads, relaxed } = await createCore({ memoryBytes: 2 ** 20 });
  return [threads && "threads", relaxed && "relaxed"].filter(Boolean).join(", ") || "base";
}
