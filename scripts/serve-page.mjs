/** `npm start`: builds the page and serves it on this machine with the headers that threads and shared memory need. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { serve } from "@hono/node-server";
import { serveStatic } from "@hono/node-server/serve-static";
import { Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import open from "open";
import { buildSite, siteFolders } from "../bench/harness/site.mjs";
import { buildPage, modelDirectory, runtimeDirectory } from "./page.mjs";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "8081" },
    host: { type: "string", default: "127.0.0.1" },
    "no-open": { type: "boolean", default: false },
  },
});
const root = dirname(dirname(fileURLToPath(import.meta.url)));
if (!existsSync(join(root, "dist", "speech-worker.js"))) await import("./build.mjs");

const installed = ["tiny", "base"];
const out = mkdtempSync(join(tmpdir(), "wavepool-page-"));
process.once("exit", () => rmSync(out, { recursive: true, force: true }));
await buildPage(out, Object.fromEntries(installed.map((name) => [name, `models/${name}/`])));

const app = new Hono();
app.use(
  secureHeaders({
    crossOriginEmbedderPolicy: "require-corp",
    crossOriginOpenerPolicy: "same-origin",
    crossOriginResourcePolicy: "same-origin",
    // Other programs use localhost too, without TLS.
    strictTransportSecurity: false,
  }),
);
/** Files of a directory under a path of the site. */
function folder(path, directory) {
  app.use(
    `${path}/*`,
    serveStatic({
      root: relative(process.cwd(), directory) || ".",
      rewriteRequestPath: (requested) => requested.slice(path.length),
    }),
  );
}
for (const name of installed) folder(`/models/${name}`, await modelDirectory(name));
folder("/onnxruntime", runtimeDirectory());
let bench;
// The suites, with those peers that are installed: bundled when somebody comes for them.
app.use("/bench/*", async (_, next) => {
  bench ??= buildSite(join(out, "bench"));
  await bench;
  await next();
});
for (const [path, directory] of Object.entries(siteFolders())) folder(`/bench/${path}`, directory);
folder("", out);

if (!/^\d{1,5}$/.test(values.port) || Number(values.port) > 65535) {
  console.error(`--port is ${JSON.stringify(values.port)}; give a number from 0 to 65535`);
  process.exit(2);
}
const server = serve({ fetch: app.fetch, port: Number(values.port), hostname: values.host }, ({ port }) => {
  const url = `http://${values.host === "0.0.0.0" ? "localhost" : values.host}:${port}/`;
  console.log(`wavepool's page is at ${url}; Ctrl-C ends it`);
  const screen = process.platform !== "linux" || process.env.DISPLAY || process.env.WAYLAND_DISPLAY;
  if (!values["no-open"] && screen && !process.env.CI) {
    open(url).catch((error) => console.error(`no browser could be started: ${error.message}`));
  }
});
server.on("error", ({ message }) => {
  console.error(
    `cannot listen at ${values.host}:${values.port}: ${message}; choose another --port or --host`,
  );
  process.exit(1);
});
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(0));
