/**
 * All suites in all runtimes, wavepool and its peers interleaved:
 *
 *     npm run bench
 *     npm run bench -- --quick
 *     npm run bench -- --only mel,fft --runtime node,firefox --json new.json --compare old.json
 *
 * The report with charts is bench/report/index.html, or --page FILE. Each suite runs twice in each runtime, in processes (or pages) of its own,
 * once with --quick, which also leaves out long jobs, and suites that load models, and names them; the service runs once, under many requests. What is missing
 * or fails is named, the rest goes on, and the exit code is 3; 2 for a wrong flag.
 */
import { accessSync, closeSync, constants, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { closed, devicesInChromium, engineOf, launched, suiteInPage } from "./harness/browsers.mjs";
import { bundleForNode, REFERENCES } from "./harness/bundled.mjs";
import { compareReports } from "./harness/compare.mjs";
import { commitHere, machineState, programVersion } from "./harness/machine.mjs";
import { poolRuns, withCounts } from "./harness/pool-runs.mjs";
import { comparisonLines, problemLines, suiteLines } from "./harness/print.mjs";
import { firstLine, problemsOf } from "./harness/problems.mjs";
import { counts as canCount, PROGRAM_NAMES, programOf, suiteInProcess } from "./harness/programs.mjs";
import { chosen, parseReport } from "./harness/request.mjs";
import { serviceSuite } from "./harness/service.mjs";
import { serveSite } from "./harness/site.mjs";
import { installPeers, peerVersions } from "./mel/peers.mjs";
import { SUITES } from "./suites/index.mjs";

const BROWSERS = ["chromium", "firefox", "webkit"];
const RUNTIMES = [...PROGRAM_NAMES, ...BROWSERS];
/** Whose path a variable of the environment may give. */
const BY_ENVIRONMENT = ["deno", "bun", "chromium", "firefox"];
const ALL_SUITES = [...Object.keys(SUITES), "service"];
/** Suites that load models: --quick has a minute, and leaves them out unless --only asks for them. */
const SLOW = ["inference", "transcription", "service"];
/** Whose calls are one of the package's or of a peer's, and not whole programs. */
const COUNTED = ["pools", "mel", "fft", "stream", "resample", "ring", "inference"];
const RUNS = { full: 2, quick: 1 };
/** The service is measured once, by many requests to one process, and so is a GPU in software, which takes minutes. */
const runsOf = (suite, runtime) =>
  suite === "service" || (suite === "inference" && runtime === "chromium") ? 1 : RUNS[effort];
const EXIT_USER_MISTAKE = 2;
const EXIT_INCOMPLETE = 3;
/** By a signal, as shells tell it. */
const EXIT_ENDED = 143;

/** By default of --page. */
const PAGE = fileURLToPath(new URL("./report/index.html", import.meta.url));

const flags = readFlags();
const effort = flags.quick ? "quick" : "full";
const old = flags.compare && readReport(flags.compare);
if (flags.json) assertWritable("--json", flags.json);
assertWritable("--page", flags.page);
installPeers();
await bundleForNode(REFERENCES);
// Without this, drivers of browsers close them and let this program go on; processes of suites end with it.
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => process.exit(EXIT_ENDED));
/** For the browsers, once there is one. */
let site;
const report = {
  format: 1,
  date: new Date().toISOString(),
  effort,
  commit: commitHere(),
  machine: machineState(),
  peers: peerVersions,
  runtimes: {},
  results: [],
  skipped: [],
};
const { processor, cores, platform, load } = report.machine;
console.log(
  `${processor}, ${cores} cores, ${platform}, load ${load}; commit ${report.commit ?? "unknown"}, ${effort}`,
);
console.log("median [p10 … p90] of all rounds; ×: over the first of wavepool's in the same job");
for (const runtime of flags.runtimes) {
  await measureRuntime(runtime);
  report.problems = problemsOf(report);
  // After each, so that a run that is ended early leaves what it has.
  if (flags.json) writeFileSync(flags.json, `${JSON.stringify(report)}\n`);
}
site?.close();
const { problems } = report;
for (const line of problemLines(problems)) console.log(line);
if (report.skipped.length > 0) console.log(`\nleft out: ${report.skipped.join("; ")}`);
const page = await writePage();
if (old) for (const line of comparisonLines(compareReports(old, report))) console.log(line);
process.exitCode = problems.length > 0 || !page ? EXIT_INCOMPLETE : 0;

/** Its library is a dependency like the peers', which by now are installed, or named as missing. */
async function writePage() {
  try {
    const { reportPage } = await import("./report/page.mjs");
    writeFileSync(flags.page, reportPage(report));
    console.log(`\nwith charts: ${flags.page}`);
    return true;
  } catch (error) {
    console.log(`\nno page with charts: ${error.message}`);
    return false;
  }
}

async function measureRuntime(name) {
  const program = PROGRAM_NAMES.includes(name) ? programOf(name) : undefined;
  let browser;
  try {
    const engine = BROWSERS.includes(name) ? await engineOf(name) : undefined;
    if (!program && !engine) {
      const missing = whyMissing(name);
      report.runtimes[name] = { missing };
      console.log(`\n${name}: ${missing}`);
      return;
    }
    // Suites that run in it tell what it is; the service does not, and a suite that fails may not.
    report.runtimes[name] = { version: program ? programVersion(name, program) : name };
    if (engine) {
      site ??= await serveSite();
      browser = await launched(engine);
    }
    const measured = [];
    for (const suite of flags.suites) {
      const reason = leftOut(suite, name);
      if (reason) report.skipped.push(`${suite} in ${name} (${reason})`);
      else measured.push({ suite, runs: [] });
    }
    if (effort === "full" && canCount(name)) for (const each of measured) await countIn(name, program, each);
    // Runs of a suite are minutes apart: a machine is slower for a while now and then, which they are to tell.
    for (let pass = 0; pass < RUNS[effort]; pass++) {
      for (const each of measured) await measureIn(name, each, pass, (at) => once(each.suite, engine, at));
    }
  } catch (error) {
    report.runtimes[name] = { missing: `it did not start: ${firstLine(error)}` };
  } finally {
    if (browser) await closed(browser);
  }

  function once(suite, engine, onProgress) {
    if (suite === "service") return serviceSuite(program).then((result) => ({ result }));
    if (suite === "inference" && name === "chromium") return devicesInChromium(site.url, effort);
    return engine ? inBrowser(suite, engine) : suiteInProcess(name, program, suite, effort, onProgress);
  }

  async function inBrowser(suite, engine) {
    browser ??= await launched(engine);
    try {
      return await suiteInPage(browser, site.url, suite, effort);
    } catch (error) {
      // It may have died; the next suite gets another.
      const last = browser;
      browser = undefined;
      await closed(last);
      throw error;
    }
  }
}

function whyMissing(runtime) {
  const variable = runtime.toUpperCase();
  const named = BY_ENVIRONMENT.includes(runtime) && process.env[variable];
  return named ? `${variable} names nothing at ${named}` : "not installed here";
}

function leftOut(suite, runtime) {
  if (suite === "service" && BROWSERS.includes(runtime)) return "pages serve nothing";
  if (flags.quick && !flags.only && SLOW.includes(suite)) return "--quick without --only";
  return undefined;
}

/** Bytes and collections of a suite, in a process of their own: what counts them makes calls slower, most of all those that allocate. */
async function countIn(runtime, program, measured) {
  if (!COUNTED.includes(measured.suite)) return;
  try {
    measured.counted = (
      await suiteInProcess(runtime, program, measured.suite, "counts", told(runtime))
    ).result;
  } catch (error) {
    measured.uncounted = firstLine(error);
  }
  told(runtime)("");
}

function told(runtime) {
  return (at) => process.stderr.isTTY && process.stderr.write(`\r\x1b[K${runtime}: ${at}`);
}

/** One run of a suite, unless it has failed or has had its runs; the last one puts their result into the report. */
async function measureIn(runtime, measured, pass, run) {
  const { suite, runs } = measured;
  const last = runsOf(suite, runtime) - 1;
  if (measured.failed || pass > last) return;
  const progress = told(runtime);
  try {
    const { version, core, result } = await run(progress);
    if (version) report.runtimes[runtime] = { version, core };
    runs.push(result);
    if (pass === last) {
      const pooled = poolRuns(runs);
      const { counted, uncounted } = measured;
      report.results.push({ runtime, ...(counted ? withCounts(pooled, counted) : pooled), uncounted });
    }
  } catch (error) {
    measured.failed = true;
    report.results.push({ runtime, suite, title: suite, failed: firstLine(error), jobs: [] });
  }
  progress("");
  if (pass < last && !measured.failed) return;
  const { version = runtime, core } = report.runtimes[runtime] ?? {};
  const where = core === undefined ? version : `${version}, core by default: ${core}`;
  console.log(suiteLines(report.results.at(-1), where).join("\n"));
}

function readFlags() {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: "boolean", default: false },
        only: { type: "string" },
        runtime: { type: "string", default: RUNTIMES.join(",") },
        json: { type: "string" },
        compare: { type: "string" },
        page: { type: "string", default: PAGE },
      },
    });
    const suites = chosen("--only", values.only ?? ALL_SUITES.join(","), ALL_SUITES);
    return { ...values, suites, runtimes: chosen("--runtime", values.runtime, RUNTIMES) };
  } catch (error) {
    return mistake(error.message);
  }
}

function readReport(path) {
  try {
    return parseReport(readFileSync(path, "utf8"));
  } catch (error) {
    return mistake(`--compare ${path}: ${error.message}`);
  }
}

/** A file that cannot be written is found before minutes of measuring; it is neither made nor emptied. */
function assertWritable(flag, path) {
  try {
    if (existsSync(path)) closeSync(openSync(path, "a"));
    else accessSync(dirname(path), constants.W_OK);
  } catch (error) {
    mistake(`${flag} ${path}: ${error.message}`);
  }
}

function mistake(message) {
  console.error(`bench: ${message}`);
  process.exit(EXIT_USER_MISTAKE);
}
