import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHROMIUM, launchChromium } from "../reference/chromium.ts";
import { fakeMicrophone, writeSpokenSample } from "../reference/fake-microphone.ts";
import { SAMPLE, WORDS } from "../reference/sample.ts";
import { wordErrorRate } from "../reference/word-error-rate.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Tiny mishears a word or two of the sample, other ones by the microphone each time. */
const MISHEARD = 0.3;
const WAIT = { timeout: 90_000 };
/** A folder that pictures of the page go to, for whoever looks at them. */
const PICTURES = process.env.WAVEPOOL_PICTURES;

describe.skipIf(!CHROMIUM)("the page in Chromium", () => {
  let server: ChildProcess;
  let origin: string;
  let browser: Browser;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "wavepool-page-test-"));
    const wav = join(folder, "spoken.wav");
    await writeSpokenSample(wav, 1, 30);
    server = spawn(process.execPath, ["scripts/serve-page.mjs", "--no-open", "--port", "0"], { cwd: ROOT });
    origin = await new Promise<string>((resolve, reject) => {
      let output = "";
      const read = (data: Buffer) => {
        output += data;
        const url = output.match(/http:\/\/127\.0\.0\.1:\d+\//)?.[0];
        if (url) resolve(url);
      };
      server.stdout!.on("data", read);
      server.stderr!.on("data", read);
      server.once("exit", (code) => reject(new Error(`the server ended with ${code}: ${output}`)));
    });
    browser = await launchChromium(fakeMicrophone(wav));
  });
  afterAll(async () => {
    await browser?.close();
    server?.kill();
    await rm(folder, { recursive: true });
  });

  /** Opens the page; what it or its policy complains of is a failure. */
  async function onPage(
    work: (page: Page, context: BrowserContext) => Promise<void>,
    options: Parameters<Browser["newContext"]>[0] = {},
  ): Promise<void> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    try {
      await page.goto(origin);
      await page.waitForFunction(() => document.querySelectorAll("#language option").length > 50);
      await work(page, context);
      expect(complaints).toEqual([]);
    } finally {
      await context.close();
    }
  }

  const text = (page: Page) => page.locator("#segments li p").allInnerTexts();
  const state = (page: Page, pattern: RegExp) =>
    page.waitForFunction(
      (source) => new RegExp(source).test(document.getElementById("state")!.textContent!),
      pattern.source,
      WAIT,
    );

  async function expectAccessible(page: Page): Promise<void> {
    // By the driver's own world: the page's policy lets no other script in.
    await page.evaluate(AXE);
    const violations = await page.evaluate(async () => {
      const { axe } = globalThis as unknown as {
        axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
      };
      return (await axe.run()).violations.map(
        ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`,
      );
    });
    expect(violations).toEqual([]);
  }

  async function picture(page: Page, name: string): Promise<void> {
    if (!PICTURES) return;
    for (const width of [1280, 390]) {
      for (const colorScheme of ["light", "dark"] as const) {
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme });
        await page.screenshot({
          path: join(PICTURES, `${name}-${width}-${colorScheme}.png`),
          fullPage: true,
        });
      }
    }
  }

  it("says what is wrong with a file, puts the next one, which is dropped, into words, and saves them", async () => {
    await onPage(async (page) => {
      await picture(page, "empty");
      await expectAccessible(page);
      await page.selectOption("#model", "tiny");
      await page.selectOption("#language", "en");
      await page.selectOption("#provider", "wasm");
      const path = join(folder, "notes.wav");
      await writeFile(path, "no sound at all");
      await page.setInputFiles("#file", path);
      const error = page.locator("#error");
      await error.waitFor(WAIT);
      expect(await error.textContent()).toMatch(/convert it/);
      await expectAccessible(page);
      await picture(page, "error");
      const bytes = readFileSync(SAMPLE).toString("base64");
      await page.evaluate(async (base64) => {
        const raw = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
        const data = new DataTransfer();
        data.items.add(new File([raw], "hello.wav", { type: "audio/wav" }));
        document
          .getElementById("drop")!
          .dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
      }, bytes);
      await state(page, /Done/);
      expect(await error.isHidden()).toBe(true);
      expect(wordErrorRate([[WORDS, (await text(page)).join(" ")]])).toBeLessThan(MISHEARD);
      await page.locator("summary").click();
      expect(await page.locator("#pools tr").count()).toBeGreaterThan(3);
      await picture(page, "file");
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        await expectAccessible(page);
      }
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.locator('[data-format="srt"]').click(),
      ]);
      expect(download.suggestedFilename()).toBe("transcript.srt");
      expect(readFileSync((await download.path())!, "utf8")).toMatch(/^1\n00:00:0\d,\d{3} --> 00:00:/);
    });
  });

  it("puts speech into words, and draws it", async () => {
    await onPage(
      async (page) => {
        await page.selectOption("#model", "tiny");
        await page.selectOption("#language", "en");
        await page.selectOption("#provider", "wasm");
        // So that the model is there: the microphone plays its file from when it is opened.
        await page.setInputFiles("#file", SAMPLE);
        await state(page, /Done/);
        await page.locator("summary").click();
        await page.locator("#record").focus();
        await page.keyboard.press("Enter");
        await state(page, /^Listening/);
        await page.waitForFunction(() => document.querySelector("#segments li"), undefined, WAIT);
        await page.waitForFunction(
          () => document.getElementById("segments")!.textContent!.toLowerCase().includes("seat"),
          undefined,
          WAIT,
        );
        await picture(page, "speech");
        await expectAccessible(page);
        await page.keyboard.press("Enter");
        await state(page, /Done/);
        expect(wordErrorRate([[WORDS, (await text(page)).join(" ")]])).toBeLessThan(MISHEARD);
        const figures = await page.locator("#figures").textContent();
        expect(figures).toMatch(/Transport\s*shared/);
        expect(figures).toMatch(/Dropped quanta\s*0(?!\d)/);
        const colours = await page.evaluate(() => {
          const canvas = document.getElementById("spectrogram") as HTMLCanvasElement;
          const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
          return new Set(new Uint32Array(data.buffer)).size;
        });
        expect(colours).toBeGreaterThan(50);
      },
      { permissions: ["microphone"] },
    );
  });

  it("says what is wrong with a model that does not come whole", async () => {
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      await page.goto(origin);
      await context.route("**/*.onnx", (route) => route.abort("connectionreset"));
      await page.selectOption("#model", "tiny");
      await page.setInputFiles("#file", SAMPLE);
      await page.locator("#error").waitFor(WAIT);
      expect(await page.locator("#error").textContent()).toMatch(
        /Cannot fetch .*check the URL and the network/,
      );
      expect(await page.locator("#record").isEnabled()).toBe(true);
    } finally {
      await context.close();
    }
  });

  it("says what to do where the microphone is blocked or the page is not isolated", async () => {
    const denied = await launchChromium([
      "--use-fake-ui-for-media-stream=deny",
      "--use-fake-device-for-media-stream",
    ]);
    try {
      const page = await denied.newPage();
      // As a host that cannot set headers serves it.
      await page.route("**/*", async (route) => {
        const response = await route.fetch();
        const headers = response.headers();
        delete headers["cross-origin-opener-policy"];
        delete headers["cross-origin-embedder-policy"];
        await route.fulfill({ response, headers });
      });
      await page.goto(origin);
      await page.selectOption("#model", "tiny");
      await page.selectOption("#provider", "wasm");
      await page.locator("#record").click();
      await page.locator("#error").waitFor(WAIT);
      expect(await page.locator("#error").textContent()).toMatch(/microphone is blocked .* allow it/);
      expect(await page.locator("#features").textContent()).toMatch(/not cross-origin isolated/);
      await expectAccessible(page);
    } finally {
      await denied.close();
    }
  });
});
