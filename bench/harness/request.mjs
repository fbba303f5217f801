/** What a user asks of the bench, by flags of its programs and by the page's address. */

/**
 * Names of a list with commas, each once.
 *
 * @throws Error naming one that there is not, or that there is none
 */
export function chosen(flag, text, all) {
  const names = [...new Set(text.split(",").filter(Boolean))];
  const wrong = names.find((name) => !all.includes(name));
  if (wrong !== undefined || names.length === 0) {
    throw new Error(`${flag} is "${text}"; give one or more of ${all.join(",")}`);
  }
  return names;
}

/** A report as --json writes it. @throws Error for anything else */
export function parseReport(text) {
  const report = JSON.parse(text);
  if (report?.format !== 1 || !Array.isArray(report.results)) {
    throw new Error("it is no report of the bench; give a file that --json wrote");
  }
  return report;
}
