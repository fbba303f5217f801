import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import { createKeyCheck } from "../../src/server/api-key.ts";
import { defaultModels, serviceSettings } from "../../src/server/options.ts";
import { createRateLimit } from "../../src/server/rate-limit.ts";

describe("the key check", () => {
  it("lets in whoever bears one of the keys", async () => {
    const check = await createKeyCheck(["one", "two"]);
    expect(await check("Bearer one")).toBe(0);
    expect(await check("bearer two")).toBe(1);
    // However it is written, it is one key, and one client to the rate limit.
    expect(await check("BEARER    two")).toBe(1);
    for (const wrong of [
      null,
      "",
      "one",
      "Bearer ",
      "Bearer on",
      "Bearer onee",
      "Basic one",
      "Bearer one two",
    ]) {
      expect(await check(wrong), String(wrong)).toBeUndefined();
    }
  });

  it("lets in everybody where there are no keys", async () => {
    expect(await (await createKeyCheck([]))(null)).toBe(-1);
  });
});

describe("the rate limit", () => {
  it("takes so many at once, and as many a minute after that", () => {
    let now = 0;
    const limit = createRateLimit(2, () => now);
    expect([limit.take("a"), limit.take("a"), limit.take("a")]).toEqual([0, 0, 30]);
    expect(limit.take("b")).toBe(0);
    now = 29_000;
    expect(limit.take("a")).toBe(1);
    now = 30_000;
    expect([limit.take("a"), limit.take("a")]).toEqual([0, 30]);
    now = 10_000_000;
    expect([limit.take("a"), limit.take("a"), limit.take("a")]).toEqual([0, 0, 30]);
  });

  it("forgets clients beyond ten thousand", () => {
    const limit = createRateLimit(1, () => 0);
    expect([limit.take("first"), limit.take("first")]).toEqual([0, 60]);
    for (let i = 0; i < 10_000; i++) limit.take(String(i));
    expect(limit.take("first")).toBe(0);
  });
});

describe("the service's options", () => {
  it("are checked by name and value", () => {
    expect(() => serviceSettings({ concurrency: 0 })).toThrow(/concurrency is 0; give a whole number from 1/);
    expect(() => serviceSettings({ queue: 1.5 })).toThrow(/queue is 1.5/);
    expect(() => serviceSettings({ waitTimeout: Number.NaN })).toThrow(/waitTimeout is NaN/);
    expect(() => serviceSettings({ apiKeys: [" "] })).toThrow(/API key is empty/);
    expect(() => serviceSettings({ rateLimit: 0 })).toThrow(/rateLimit is 0/);
    expect(() => serviceSettings({ models: 3, concurrency: 2 })).toThrow(/models is 3 and concurrency 2/);
  });

  it("take onnxruntime-web unless told otherwise", () => {
    expect(serviceSettings({}).model.providers).toEqual(["wasm"]);
    expect(serviceSettings({ providers: ["native"] }).model.providers).toEqual(["native"]);
  });

  it("load two models on many cores, but no more than there are requests at once", () => {
    expect([1, 7, 8, 64].map(defaultModels)).toEqual([1, 1, 2, 2]);
    expect(serviceSettings({ concurrency: 1 }).models).toBe(1);
  });

  it("give each of several models its part of the cores", () => {
    const { threads } = serviceSettings({ models: 2 }).model;
    expect(threads).toBe(Math.max(1, Math.min(8, Math.floor(availableParallelism() / 2))));
    expect(serviceSettings({ models: 2, threads: 3 }).model.threads).toBe(3);
  });
});
