/** bench/service.mjs as a suite: it starts the service and its load as processes of their own, in Node. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const PROGRAM = fileURLToPath(new URL("../service.mjs", import.meta.url));
const REQUESTS = 8;
const CONTENDERS = ["pools on", "pools off"];

/** Milliseconds a request, by how many clients ask at once: the time of all over their number. */
export async function serviceSuite() {
  const args = ["--json", "--soak", "0", "--requests", String(REQUESTS), "--only", CONTENDERS.join(";")];
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, ...args], {
    maxBuffer: 1e8,
    timeout: 600_000,
  });
  const { contenders } = JSON.parse(stdout);
  const jobs = contenders[0].rows.map(({ clients }, row) => ({
    name: `${clients} client${clients === 1 ? "" : "s"}`,
    unit: "ms a request",
    entries: contenders.map(({ name, rows, leaks }) => {
      const { perSecond, p50, p95, p99 } = rows[row];
      const ms = Number((1000 / perSecond).toPrecision(4));
      const common = {
        name: `wavepool serve, ${name}`,
        kind: name === "pools on" ? "wavepool" : "yardstick",
      };
      if (leaks.length > 0) return { ...common, failed: `${leaks.length} leases leaked` };
      return {
        ...common,
        median: ms,
        p10: ms,
        p90: ms,
        samples: [ms],
        collections: 0,
        answers: { p50, p95, p99 },
      };
    }),
  }));
  return { suite: "service", title: "Service, Whisper tiny, the sample", jobs, left: [] };
}
