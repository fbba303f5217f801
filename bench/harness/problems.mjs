/** What a report lacks and why: a runtime that is not there, a suite that ended early or was not counted, a contender that failed. */
export function problemsOf({ runtimes, results }) {
  const problems = [];
  for (const [runtime, { missing }] of Object.entries(runtimes)) {
    if (missing !== undefined) problems.push({ runtime, message: missing });
  }
  for (const { runtime, suite, failed, uncounted, jobs = [] } of results) {
    if (uncounted !== undefined)
      problems.push({ runtime, suite, message: `its bytes were not counted: ${uncounted}` });
    if (failed !== undefined) problems.push({ runtime, suite, message: failed });
    for (const { name: job, entries } of jobs) {
      for (const { name: contender, failed } of entries) {
        if (failed !== undefined) problems.push({ runtime, suite, job, contender, message: failed });
      }
    }
  }
  return problems;
}

/** What an error says, as far as one line goes. */
export const firstLine = (error) => String(error?.message ?? error).split("\n")[0];

/** Where it is missing and why. */
export const problemLine = ({ message, ...place }) => `${Object.values(place).join(", ")}: ${message}`;
