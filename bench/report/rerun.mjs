/** A run held against an earlier one of the same bench: what both say of the machine and of wavepool. */
import { compareReports, isOurs, tally } from "../harness/compare.mjs";
import { figure } from "../harness/print.mjs";

/** Verdicts that a figure of wavepool's can have; those but the first are named. */
const VERDICTS = ["within noise", "faster", "slower", "gone"];
const MINUTES_AN_HOUR = 60;

/**
 * What a report keeps of a later run.
 *
 * @returns { date, commit, minutesLater, unlike, runtimes }: of the later run; lines of what its conditions were unlike in; by runtime
 * { drift, noise, others, counts, outside }, as compareReports gives them, the noise as the logarithm of a ratio, `counts` of wavepool's
 * figures by verdict, `outside` those that are not within noise, or gone
 * @throws Error where it is no later run
 */
export function rerunOf(report, later) {
  const minutesLater = Math.round((Date.parse(later.date) - Date.parse(report.date)) / 60_000);
  if (!(Date.parse(later.date) > Date.parse(report.date))) {
    throw new Error(`it is of ${later.date}, the report of ${report.date}; give a run after that`);
  }
  const { unlike, machine, rows } = compareReports(report, later);
  const ours = rows.filter(
    ({ kind, contender, verdict }) => VERDICTS.includes(verdict) && isOurs(kind, contender),
  );
  const runtimes = {};
  for (const [runtime, { drift, noise, others }] of Object.entries(machine)) {
    const here = ours.filter((row) => row.runtime === runtime);
    runtimes[runtime] = {
      drift,
      noise,
      others,
      counts: { "within noise": 0, faster: 0, slower: 0, ...tally(here) },
      outside: here
        .filter(({ verdict }) => verdict !== VERDICTS[0])
        .map(({ suite, job, contender, ratio, verdict }) => ({ suite, job, contender, ratio, verdict })),
    };
  }
  return { date: later.date, commit: later.commit, minutesLater, unlike, runtimes };
}

/**
 * The same in words.
 *
 * @param nameOf a runtime's, from its version
 * @returns { head, items }: what the run was, and a line for each runtime; undefined where a report has no later run
 */
export function rerunText({ commit: before, runtimes, rerun }, nameOf = (version) => version) {
  if (rerun === undefined) return undefined;
  const { date, commit, minutesLater, unlike = [] } = rerun;
  const when = [
    date.slice(0, 10),
    ...(commit === before ? [] : [`commit ${commit ?? "unknown"}`]),
    ...(unlike.length === 0 ? [] : [`unlike conditions, ${unlike.join("; ")}`]),
  ];
  const head = `Run again${minutesLater === undefined ? "" : ` ${span(minutesLater)} later`} (${when.join(", ")}). Peers and yardsticks tell how the machine drifted, which is taken out, and the noise, which nine in ten of them stay within; a figure of wavepool's is outside it where it changed by more, and by more than its own rounds and processes differ:`;
  const items = Object.entries(rerun.runtimes).map(([name, runtime]) =>
    runtimeText(nameOf(runtimes[name]?.version ?? name), runtime),
  );
  return { head, items };
}

const span = (minutes) =>
  minutes < 2 * MINUTES_AN_HOUR ? `${minutes} min` : `${(minutes / MINUTES_AN_HOUR).toFixed(0)} h`;

function runtimeText(name, { drift, noise, others, counts, outside }) {
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const percent = `±${figure(100 * (Math.exp(noise) - 1))} %`;
  const machine =
    others === 0
      ? `too few peers and yardsticks to tell, ${percent} is taken for noise`
      : `drift ${figure(drift)} × the time, noise ${percent}`;
  const within = `${counts[VERDICTS[0]]} of wavepool's ${all} figures within it`;
  const named = outside.map(({ suite, job, contender, ratio, verdict }) => {
    const change = ratio === undefined ? verdict : `${verdict}, ${figure(ratio)} × the time`;
    return `${suite}, ${job}, ${contender} (${change})`;
  });
  return [
    `${name}: ${machine}; ${within}`,
    ...(named.length === 0 ? [] : [`outside: ${named.join("; ")}`]),
  ].join("; ");
}
