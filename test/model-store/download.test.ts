import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DownloadError, ModelNotFoundError } from "../../src/core/errors.ts";
import type { DownloadProgress } from "../../src/models/download-progress.ts";
import { type FetchOptions, fetchModel } from "../../src/models/fetch-model.ts";
import { type Behaviour, COMMIT, type Hub, startHub } from "./hub-server.ts";
import { freshCache } from "./setting.ts";
import { random, smallModel } from "./small-model.ts";

const NAME = "someone/whisper-small";
const ENCODER = "onnx/encoder_model_quantized.onnx";
const DECODER = "onnx/decoder_model_merged_quantized.onnx";
const files = smallModel(1);

let hub: Hub;
let cache: Awaited<ReturnType<typeof freshCache>>;
let directory: string;

beforeEach(async () => {
  cache = await freshCache();
  directory = join(cache.directory, "models", NAME, "main");
  hub = await startHub({ [NAME]: files });
});
afterEach(async () => {
  await hub.close();
  await cache.remove();
});

const fetchIt = (options: FetchOptions = {}) =>
  fetchModel(NAME, NAME, { hubUrl: hub.url, retryDelay: 1, ...options });

/** The error of a download that must fail. */
const failure = (options: FetchOptions = {}) =>
  fetchIt(options).then(
    () => new Error("fetched all the same"),
    (error: Error) => error,
  );

/** What is to be in the directory when all went well: all that is used, and nothing else. */
async function expectComplete(): Promise<void> {
  const expected = [...files.keys()].filter((path) => path !== "README.md");
  const found = (await readdir(directory, { recursive: true })).filter((name) => name !== "onnx");
  expect(found.sort()).toEqual(expected.sort());
  for (const path of expected) {
    const same = files.get(path)!.equals(await readFile(join(directory, path)));
    expect(same, path).toBe(true);
  }
}

async function parts(): Promise<string[]> {
  const names = await readdir(directory, { recursive: true });
  return names.filter((name) => name.endsWith(".part"));
}

const requestsFor = (path: string, kind = "bytes") =>
  hub.log.filter((request) => request.path === path && request.kind === kind);

/** Behaves as told for the bytes of one file. */
const forFile =
  (path: string, behaviour: Behaviour): Behaviour =>
  (arrival) =>
    arrival.path === path && arrival.kind === "bytes" ? behaviour(arrival) : undefined;

describe("a model from the hub", () => {
  it("is listed at one commit, checked and put in its place, and told of with bytes and time left", async () => {
    const told: DownloadProgress[] = [];
    const found = await fetchIt({ token: "hf_secret", onProgress: (progress) => told.push(progress) });
    await expectComplete();
    expect(found).toMatchObject({
      name: NAME,
      directory,
      origin: "hub",
      dtype: { encoder: "q8", decoder: "q8" },
      encoder: join(directory, ENCODER),
      externalData: { encoder: [], decoder: [] },
    });
    // The token goes to the hub with each request, and (hub-server.ts) never to the network behind it.
    expect(new Set(hub.authorizations)).toEqual(new Set(["Bearer hf_secret"]));
    expect(hub.log.every(({ kind, path }) => kind !== "api" || /revision\/main|tree\/0123/.test(path))).toBe(
      true,
    );
    const total = [...files].reduce(
      (sum, [path, { length }]) => sum + (path === "README.md" ? 0 : length),
      0,
    );
    expect(told.at(-1)).toMatchObject({ bytes: total, totalBytes: total, secondsLeft: 0 });
    for (let i = 1; i < told.length; i++) expect(told[i]!.bytes).toBeGreaterThanOrEqual(told[i - 1]!.bytes);
    expect(told.every(({ file, fileBytes }) => fileBytes <= files.get(file)!.length)).toBe(true);
  });

  it("is not fetched again when it is here, and only what has changed when it is not the same", async () => {
    await fetchIt();
    hub.log.length = 0;
    await fetchIt();
    expect(hub.log.filter(({ kind }) => kind !== "api")).toEqual([]);
    await writeFile(join(directory, "tokenizer.json"), Buffer.alloc(files.get("tokenizer.json")!.length));
    await fetchIt();
    expect(hub.log.filter(({ kind }) => kind !== "api").map(({ path }) => path)).toEqual(["tokenizer.json"]);
    await expectComplete();
  });

  it("is fetched whole though the connection is cut at any bytes", async () => {
    const seed = Number(process.env.SEED ?? 20261);
    console.log(`seed ${seed}`);
    const next = random(seed);
    let cuts = 0;
    hub.behave = ({ kind }) => {
      if (kind !== "bytes" || (cuts > 0 && next() > 0.8)) return undefined;
      cuts++;
      return { cutAt: Math.floor(next() * 400_000) };
    };
    await fetchIt({ retries: 20 });
    expect(cuts, `seed ${seed}`).toBeGreaterThan(0);
    // It went on where it was, so that no byte came twice but those that were lost in the cut.
    const begun = requestsFor(DECODER).map(({ from }) => from ?? 0);
    expect(begun, `seed ${seed}`).toEqual([...begun].sort((a, b) => a - b));
    await expectComplete();
  });

  it("is gone on with by a later call where an earlier one left off", async () => {
    hub.behave = forFile(ENCODER, ({ from, response }) => {
      if (from === undefined) return { cutAt: 500_000 };
      response.writeHead(503).end();
      return "answered";
    });
    const error = await failure({ retries: 2 });
    expect(error).toBeInstanceOf(DownloadError);
    expect(error).toMatchObject({ kind: "failure", code: "download", reason: "refused" });
    expect(error.message).toMatch(
      /encoder_model_quantized\.onnx answers 503; try again later: what has come is kept/,
    );
    const [part] = await parts();
    const kept = (await stat(join(directory, part!))).size;
    expect(kept).toBeGreaterThan(0);
    hub.behave = () => undefined;
    hub.log.length = 0;
    await fetchIt();
    expect(requestsFor(ENCODER)).toEqual([{ kind: "bytes", path: ENCODER, from: kept }]);
    await expectComplete();
  });

  it("ends in an error that says so when every connection breaks", async () => {
    hub.behave = forFile(ENCODER, () => ({ cutAt: 1000 }));
    const error = await failure({ retries: 3 });
    expect(error).toMatchObject({ name: "DownloadError", reason: "interrupted" });
    expect(error.message).toMatch(
      /encoder_model_quantized\.onnx broke off \(.*\); check the network and try again/,
    );
    expect(requestsFor(ENCODER)).toHaveLength(4);
  });

  it("takes a connection that says nothing more for dead, and goes on with another", async () => {
    let first = true;
    hub.behave = async (arrival) => {
      if (arrival.path !== ENCODER || arrival.kind !== "bytes" || !first) return undefined;
      first = false;
      arrival.response
        .writeHead(200, { "Content-Length": 700_000 })
        .write(files.get(ENCODER)!.subarray(0, 100_000));
      return "answered"; // and never ends
    };
    await fetchIt({ idleTimeout: 300 });
    expect(requestsFor(ENCODER).at(-1)!.from).toBe(100_000);
    await expectComplete();
  });

  it("with wrong bytes is refused and removed, naming file, URL and both digests", async () => {
    const wrong = Buffer.from(files.get(ENCODER)!);
    wrong[345_678]! ^= 1;
    hub.behave = forFile(ENCODER, () => ({ body: wrong }));
    const error = await failure();
    expect(error).toMatchObject({ name: "DownloadError", kind: "failure", reason: "wrong-bytes" });
    expect(error.message).toMatch(
      /http:\S+encoder_model_quantized\.onnx came with SHA-256 [0-9a-f]{64}, but the hub tells [0-9a-f]{64}; it was removed/,
    );
    expect(await readdir(join(directory, "onnx"))).toEqual([]);
    hub.behave = () => undefined;
    await fetchIt();
    await expectComplete();
  });

  it.each([
    ["more", Buffer.alloc(800_000, 1), /sends more than the 700000 bytes/],
    ["fewer", Buffer.alloc(300_000, 1), /ended after 300000 of 700000 bytes|broke off|answers 416/],
  ])("with %s bytes than the hub tells is refused", async (_, body, message) => {
    hub.behave = forFile(ENCODER, () => ({ body }));
    const error = await failure({ retries: 2 });
    expect(error).toBeInstanceOf(DownloadError);
    expect(error.message).toMatch(message);
    await expect(stat(join(directory, ENCODER))).rejects.toThrow("ENOENT");
  });

  it("with a wrong small file is refused by git's digest", async () => {
    hub.behave = ({ kind, path }) =>
      kind === "resolve" && path === "tokenizer.json" ? { body: Buffer.alloc(200_012, 32) } : undefined;
    const error = await failure();
    expect(error.message).toMatch(/tokenizer\.json came with git SHA-1 [0-9a-f]{40}, but the hub tells/);
  });

  it("comes from a server that knows no ranges, each attempt from the start", async () => {
    let cut = true;
    hub.behave = forFile(ENCODER, () => {
      const sending = { ranges: false, ...(cut ? { cutAt: 400_000 } : {}) };
      cut = false;
      return sending;
    });
    await fetchIt();
    expect(requestsFor(ENCODER)).toHaveLength(2);
    await expectComplete();
  });

  it("is begun anew when the file is another one at the second attempt", async () => {
    const other = Buffer.alloc(700_000, 7);
    hub.behave = forFile(ENCODER, ({ from }) =>
      from === undefined && requestsFor(ENCODER).length === 1
        ? { body: other, etag: '"before"', cutAt: 300_000 }
        : { etag: '"after"' },
    );
    await fetchIt();
    const [first, second, third] = requestsFor(ENCODER).map(({ from }) => from);
    expect([first, third]).toEqual([undefined, undefined]);
    expect(second).toBeGreaterThan(0);
    await expectComplete();
  });

  it("is begun anew once when the pieces do not make the whole, though the server does not tell", async () => {
    hub.behave = forFile(ENCODER, () =>
      requestsFor(ENCODER).length === 1
        ? { body: Buffer.alloc(700_000, 7), etag: '"same"', cutAt: 300_000 }
        : { etag: '"same"' },
    );
    await fetchIt();
    await expectComplete();
  });

  it.each([429, 503])("waits as long as an answer of %i asks, then goes on", async (status) => {
    let answers = 0;
    hub.behave = async ({ kind, path, response }) => {
      if (answers >= 2 || (kind !== "api" && path !== ENCODER)) return undefined;
      answers++;
      response.writeHead(status, { "Retry-After": "0" }).end();
      return "answered";
    };
    // A first delay that the test would not outlive: what the server asks goes before it.
    await fetchIt({ retryDelay: 2_000_000 });
    expect(answers).toBe(2);
    await expectComplete();
  });

  it("is given up at once when a server asks for a wait that the user should decide on", async () => {
    hub.behave = ({ response }) => {
      response.writeHead(429, { "Retry-After": "86400", "X-Error-Message": "Too many requests" }).end();
      return "answered";
    };
    const error = await failure();
    expect(error).toMatchObject({ name: "DownloadError", reason: "refused" });
    expect(error.message).toMatch(/answers 429 \(Too many requests\); try again in 86400 s/);
    expect(hub.log).toHaveLength(1);
  });

  it.each(["redirect", "bytes"])("that is not to be had for an endless %s ends in an error", async (kind) => {
    hub.behave = async (arrival) => {
      if (arrival.path !== ENCODER) return undefined;
      if (kind === "redirect") arrival.response.writeHead(302, { Location: arrival.request.url }).end();
      else arrival.response.destroy();
      return "answered";
    };
    const error = await failure({ retries: 1 });
    expect(error).toMatchObject({ name: "DownloadError", reason: "unreachable" });
    expect(error.message).toMatch(/cannot be reached \((.*redirect.*|UND_ERR_SOCKET|ECONNRESET)\)/);
  });

  it("that does not exist, or is gated, is named with what helps", async () => {
    const missing = await fetchModel("no/such", "no/such", { hubUrl: hub.url }).catch(
      (error: Error) => error,
    );
    expect(missing).toBeInstanceOf(ModelNotFoundError);
    expect((missing as Error).message).toMatch(
      /answers 401 .*no such repository, or it is private or gated;.*HF_TOKEN/,
    );
    expect((await failure({ revision: "v9" })).message).toMatch(/answers 404 \(Invalid rev id: v9\)/);
    hub.behave = async ({ kind, response }) => {
      if (kind === "api") return undefined;
      response
        .writeHead(403, { "X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted." })
        .end();
      return "answered";
    };
    const gated = await failure({ token: "hf_mine" });
    expect(gated).toBeInstanceOf(ModelNotFoundError);
    expect(gated.message).toMatch(/answers 403 \(Access is restricted\.\).*token's account may read it/);
    expect(await failure({ token: "mine" })).toMatchObject({ name: "InvalidArgumentError" });
  });

  it("whose file is gone between listing and fetching is named", async () => {
    hub.behave = async ({ path, response }) => {
      if (path !== ENCODER) return undefined;
      response.writeHead(404, { "X-Error-Code": "EntryNotFound" }).end();
      return "answered";
    };
    const error = await failure();
    expect(error).toBeInstanceOf(ModelNotFoundError);
    expect(error.message).toMatch(/encoder_model_quantized\.onnx answers 404 \(EntryNotFound\)/);
    expect(hub.log.filter(({ path }) => path === ENCODER)).toHaveLength(1);
  });

  it("from what is no hub is named", async () => {
    hub.behave = ({ response }) => {
      response.setHeader("Content-Type", "text/html").end("<!doctype html>");
      return "answered";
    };
    const error = await failure();
    expect(error).toMatchObject({ name: "DownloadError", reason: "refused" });
    expect(error.message).toMatch(/does not answer as a hub does .*check hubUrl/);
  });

  it.each(["tokenizer.json", "preprocessor_config.json", "config.json"])(
    "without %s is named",
    async (path) => {
      const without = new Map(files);
      without.delete(path);
      hub.repositories.set(NAME, without);
      const error = await failure();
      expect(error).toBeInstanceOf(ModelNotFoundError);
      expect(error.message).toContain(`${NAME} (${COMMIT}) has no ${path};`);
      expect(hub.log.filter(({ kind }) => kind !== "api")).toEqual([]);
    },
  );

  it("stops at an abort with the signal's reason, keeps what has come, and goes on with it", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    let stopped = false;
    const onProgress = ({ file, fileBytes }: DownloadProgress) => {
      if (file !== ENCODER || fileBytes === 0 || stopped) return;
      stopped = true;
      controller.abort(reason);
    };
    hub.behave = async (arrival) => {
      if (arrival.path !== ENCODER || arrival.kind !== "bytes" || arrival.from !== undefined)
        return undefined;
      arrival.response.writeHead(200, { "Content-Length": 700_000 });
      arrival.response.write(files.get(ENCODER)!.subarray(0, 200_000));
      await new Promise((resolve) => setTimeout(resolve, 200)); // reports come ten times a second
      arrival.response.write(files.get(ENCODER)!.subarray(200_000, 300_000));
      return "answered";
    };
    await expect(fetchIt({ signal: controller.signal, onProgress })).rejects.toBe(reason);
    expect(await parts()).toHaveLength(1);
    await fetchIt();
    expect(requestsFor(ENCODER).at(-1)!.from).toBeGreaterThan(0);
    await expectComplete();
    await expect(fetchIt({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it("is fetched once by calls that overlap", async () => {
    await Promise.all([fetchIt(), fetchIt(), fetchIt()]);
    expect(requestsFor(ENCODER)).toHaveLength(1);
    expect(requestsFor("config.json", "resolve")).toHaveLength(1);
    await expectComplete();
  });
});
