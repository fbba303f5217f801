import { InvalidArgumentError } from "../core/errors.ts";
import type { ServiceReport } from "../server/service.ts";
import { listenForInterrupt } from "./interrupt.ts";
import { type ServeFlags, serviceRequest } from "./serve-flags.ts";

/** Milliseconds that requests have to finish after SIGTERM. */
const GRACE = 30_000;

/**
 * `wavepool serve`: the log on stdout, one line of JSON an event, what happens around it on stderr. SIGTERM and Ctrl-C let
 * requests finish and end with 0; a second one ends at once.
 */
export async function serveCommand(flags: ServeFlags): Promise<void> {
  // Loaded here: other commands do without HTTP.
  const { createService, listen } = await import("../server/index.ts");
  const interrupt = listenForInterrupt();
  const options = serviceRequest(flags, process.env.WAVEPOOL_API_KEY);
  process.stderr.write(`wavepool: loading ${flags.model}\n`);
  const service = await interrupt.race(createService({ ...options, log: logToStdout() }));
  const server = await listen(service, { port: flags.port, host: flags.host }).catch(async (cause) => {
    await service.close(0);
    throw new InvalidArgumentError(
      `cannot listen at ${flags.host}:${flags.port}: ${(cause as Error).message}; choose another --port or --host`,
      { cause },
    );
  });
  const host = flags.host.includes(":") ? `[${flags.host}]` : flags.host;
  process.stderr.write(`wavepool: ${service.model} at http://${host}:${server.port}/v1, see /docs\n`);
  await new Promise<void>((resolve) => {
    if (interrupt.signal.aborted) resolve();
    else interrupt.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  process.stderr.write("wavepool: finishing what runs; once more to end at once\n");
  const report = await server.close(GRACE);
  interrupt.stop();
  process.stderr.write(reportText(report));
  // Once the log is out: connections that clients keep alive are no reason to stay.
  process.stdout.write("", () => process.exit(0));
  // Or at once, where nobody reads it.
  if (process.stdout.destroyed || process.stdout.errored) process.exit(0);
}

/** Writes the log; when whoever reads it goes, the service stays. */
function logToStdout(): (line: string) => void {
  let open = true;
  // Other commands end then.
  process.stdout.removeAllListeners("error");
  process.stdout.on("error", ({ message }) => {
    if (open)
      process.stderr.write(`wavepool: nobody reads the log any more (${message}); going on without\n`);
    open = false;
  });
  return (line) => {
    if (open) process.stdout.write(line);
  };
}

/** Pools and leaks as lines of text. */
function reportText({ pools, leaks }: ServiceReport): string {
  const lines = ["place     pool                 in use  peak  acquires  releases  hit rate"];
  for (const { place, name, inUse, peakInUse, acquires, releases, hitRate } of pools) {
    lines.push(
      String(place).padEnd(10) +
        String(name).padEnd(20) +
        String(inUse).padStart(7) +
        String(peakInUse).padStart(6) +
        String(acquires).padStart(10) +
        String(releases).padStart(10) +
        `${(100 * Number(hitRate)).toFixed(1)} %`.padStart(10),
    );
  }
  const held = leaks.map(({ place, pool, leases }) => `leak: ${leases} leases of "${pool}" (${place})`);
  return `${[...lines, ...(held.length > 0 ? held : ["no leaks"])].join("\n")}\n`;
}
