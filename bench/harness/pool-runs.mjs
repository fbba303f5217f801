/** One result of several runs of a suite, each in a process of its own. */
import { spread } from "../mel/spread.mjs";

/** @param runs results of measureSuite for the same suite */
export function poolRuns(runs) {
  const [first, ...rest] = runs;
  const jobs = first.jobs.map((job) => ({
    ...job,
    entries: job.entries.map((entry) => {
      const same = rest.flatMap(({ jobs }) =>
        (jobs.find(({ name }) => name === job.name)?.entries ?? []).filter(({ name }) => name === entry.name),
      );
      return poolEntries([entry, ...same]);
    }),
  }));
  return { ...first, jobs };
}

/** A contender that fails once has failed. */
function poolEntries(entries) {
  const failed = entries.find(({ failed }) => failed !== undefined);
  const [first] = entries;
  if (failed || first.samples === undefined) return failed ?? first;
  const samples = entries.flatMap(({ samples }) => samples);
  return {
    ...first,
    ...spread(samples),
    samples,
    // How far processes differ, which samples of one of them do not tell.
    runs: entries.map(({ samples }) => spread(samples).median),
  };
}

/**
 * Puts bytes and collections, counted apart, beside times. Who failed at that has no figure that could be trusted.
 *
 * @param counted result of measureSuite by EFFORTS.counts
 */
export function withCounts(result, counted) {
  const jobs = result.jobs.map((job) => {
    const others = counted.jobs.find(({ name }) => name === job.name)?.entries ?? [];
    const entries = job.entries.map((entry) => {
      const { failed, bytes, collections } = others.find(({ name }) => name === entry.name) ?? {};
      if (entry.failed !== undefined || entry.lacks !== undefined) return entry;
      return failed === undefined
        ? { ...entry, bytes, collections }
        : { ...entry, failed: `counted: ${failed}` };
    });
    return { ...job, entries };
  });
  return { ...result, jobs };
}

/**
 * What another browser measured in the same suite, beside what the first did: without peers, and named by its version. Where it
 * failed, each job says so.
 *
 * @param other { version, result } or { failed }
 */
export function besideResult(result, { version, result: other, failed }) {
  const entriesOf = (name) =>
    failed === undefined
      ? other.jobs
          .find((job) => job.name === name)
          .entries.filter(({ kind }) => kind !== "peer")
          .map((entry) => ({ ...entry, name: `${entry.name}, in ${version}` }))
      : [{ name: "wavepool, onnxruntime-web WebNN, in another Chromium", kind: "wavepool", failed }];
  const jobs = result.jobs.map((job) => ({ ...job, entries: [...job.entries, ...entriesOf(job.name)] }));
  return { ...result, jobs };
}
