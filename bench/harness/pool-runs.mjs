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
  const bytes = entries.flatMap(({ bytes }) => bytes ?? []);
  return {
    ...first,
    ...spread(samples),
    samples,
    // How far processes differ, which samples of one of them do not tell.
    runs: entries.map(({ samples }) => spread(samples).median),
    collections:
      first.collections === undefined
        ? undefined
        : entries.reduce((sum, { collections }) => sum + collections, 0),
    bytes: bytes.length > 0 ? spread(bytes).median : undefined,
  };
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
