import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { type Engine, type EngineBrowser, type EnginePage, SCRIPT_MS } from "./engine.ts";

/** WebKitGTK's driver and browser, and the screen that they need, of Debian's webkit2gtk-driver and xvfb. */
const DRIVER = "/usr/bin/WebKitWebDriver";
const BROWSER = "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser";
const SCREEN = "/usr/bin/Xvfb";
/** For the driver to end a session; then both are ended without asking. */
const CLOSE_MS = 10_000;
const there = [DRIVER, BROWSER, SCREEN].every((path) => existsSync(path));

if (!there) console.warn("SKIPPED: WebKit. Install webkit2gtk-driver and xvfb of Debian.");

/** Starts a screen in memory. Resolves with its number once it takes clients. */
async function startScreen(): Promise<{ process: ChildProcess; display: string }> {
  const args = ["-displayfd", "3", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"];
  const screen = spawn(SCREEN, args, { stdio: ["ignore", "ignore", "ignore", "pipe"] });
  const display = await new Promise<string>((resolve, reject) => {
    (screen.stdio[3] as Readable).once("data", (data) => resolve(`:${String(data).trim()}`));
    screen.once("exit", (code) => reject(new Error(`Xvfb ended with ${code}`)));
  });
  return { process: screen, display };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A command of WebDriver (https://www.w3.org/TR/webdriver2/). By node:http, for fetch gives up after five minutes. */
async function command<R>(method: "POST" | "DELETE", url: string, body?: object): Promise<R> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, { method }, resolve)
      .once("error", reject)
      .end(body && JSON.stringify(body));
  });
  const { value } = JSON.parse(await text(answer)) as { value: R & { error?: string; message?: string } };
  if (answer.statusCode !== 200) {
    // It has no word for a browser that died.
    throw new Error(`${value.error}: ${value.message || "the driver says no more"}`);
  }
  return value;
}

/** What the driver says of a session that it started. */
interface Session {
  sessionId: string;
  capabilities: { browserVersion: string };
}

/** Wraps a function so that what it returns or throws comes as one object. */
const script = (body: string) => `
  const [argument, done] = arguments;
  const failed = (error) => done({ error: String(error) + "\\n" + (error?.stack ?? "") });
  new Promise((resolve) => resolve((${body})(argument ?? undefined))).then((value) => done({ value }), failed);
`;

/** The one window of a session: closing the page leaves it empty for the next. */
function pageOf(session: string): EnginePage {
  const page: EnginePage = {
    async goto(url) {
      await command("POST", `${session}/url`, { url });
      // The answer may be that the page before has loaded.
      await page.evaluate(
        () =>
          new Promise<void>((resolve) => {
            if (document.readyState === "complete") resolve();
            else addEventListener("load", () => resolve());
          }),
      );
    },
    async evaluate(body, argument) {
      const result = await command<{ value?: never; error?: string }>("POST", `${session}/execute/async`, {
        script: script(String(body)),
        args: [argument],
      });
      if (result.error !== undefined) throw new Error(result.error);
      return result.value as never;
    },
    close: () => page.goto("about:blank"),
  };
  return page;
}

async function launch(scriptMs = SCRIPT_MS): Promise<EngineBrowser> {
  const screen = await startScreen();
  const port = await freePort();
  const driver = spawn(DRIVER, [`--port=${port}`], {
    stdio: "ignore",
    // Off by default in WebKitGTK, also on isolated pages.
    env: { ...process.env, DISPLAY: screen.display, JSC_useSharedArrayBuffer: "1", NO_AT_BRIDGE: "1" },
  });
  const end = () => {
    process.off("exit", end);
    driver.kill();
    screen.process.kill();
  };
  process.once("exit", end);
  try {
    const url = `http://127.0.0.1:${port}/session`;
    const options = { binary: BROWSER, args: ["--automation"] };
    const capabilities = { alwaysMatch: { "webkitgtk:browserOptions": options } };
    const start = () => command<Session>("POST", url, { capabilities });
    const deadline = Date.now() + 20_000;
    let started: Session | undefined;
    while (started === undefined) {
      try {
        started = await start();
      } catch (error) {
        // The driver takes a moment to listen.
        if ((error as NodeJS.ErrnoException).code !== "ECONNREFUSED" || Date.now() > deadline) throw error;
        await pause(50);
      }
    }
    const session = `${url}/${started.sessionId}`;
    await command("POST", `${session}/timeouts`, { script: scriptMs, pageLoad: 60_000 });
    return {
      // Its pages name Safari's version.
      version: `WebKitGTK ${started.capabilities.browserVersion}`,
      newPage: async () => pageOf(session),
      async close() {
        // A session that has died is no more to be closed; what was asked of it has failed.
        const ended = command("DELETE", session).catch(() => undefined);
        await Promise.race([ended, pause(CLOSE_MS, undefined, { ref: false })]);
        end();
      },
    };
  } catch (error) {
    end();
    throw error;
  }
}

export const webkit: Engine = { name: "WebKit", there, launch };
