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
  const least = (values) => (values.length > 0 ? Math.min(...values) : undefined);
  return {
    ...first,
    ...spread(samples),
    samples,
    collections: entries.reduce((sum, { collections }) => sum + collections, 0),
    // Code that is not optimised yet allocates more: the least is the steady state.
    bytes: least(entries.flatMap(({ bytes }) => bytes ?? [])),
  };
}
