/**
 * What a service has to stand: run in CI with small counts, by `npm run soak:service` with full ones. Everything is real, the
 * threads of the build included.
 */
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import OpenAI, { InternalServerError, RateLimitError, toFile } from "openai";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Listening, Service, ServiceOptions } from "../../src/server/index.ts";
import { SAMPLE, WORDS } from "../reference/sample.ts";
import { randomNumbers } from "../reference/sound-streams.ts";
import { wordErrorRate } from "../reference/word-error-rate.ts";
import { until } from "./runtimes.ts";

const SOAK = process.env.WAVEPOOL_SOAK === "1";
const ABORTS = SOAK ? 200 : 20;
const HOSTILE = SOAK ? 1000 : 60;
/** Another one for another soak. */
const SEED = Number(process.env.WAVEPOOL_SEED ?? 20_251);
if (SOAK) vi.setConfig({ testTimeout: 3_600_000 });
const MIB = 2 ** 20;

const { createService, listen } = (await import("wavepool/server" as string)) as {
  createService(options: ServiceOptions): Promise<Service>;
  listen(service: Service, options: { port: number }): Promise<Listening>;
};

const FIXTURES = fileURLToPath(new URL("../fixtures", import.meta.url));
const sounds = readdirSync(FIXTURES)
  .filter((name) => name.startsWith("hello"))
  .map((name) => ({ name, bytes: readFileSync(`${FIXTURES}/${name}`) }));
const sample = readFileSync(SAMPLE);
const short = sounds.find(({ name }) => name === "hello.flac")!.bytes;
const MISHEARD = 0.15;
/** One attempt at a window: nothing is tried again at higher temperatures. */
const ONCE = { temperature: 0.01 } as const;

async function start(options: ServiceOptions) {
  const log: Record<string, unknown>[] = [];
  const service = await createService({
    model: "tiny",
    offline: true,
    // Two files are tested at a time, on two cores: more threads would wait for each other.
    threads: 1,
    log: (line) => log.push(JSON.parse(line)),
    ...options,
  });
  const server = await listen(service, { port: 0 });
  const url = `http://127.0.0.1:${server.port}`;
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
  return { service, server, url, client, log };
}
type Running = Awaited<ReturnType<typeof start>>;

/** Everything is back, and it still works. */
async function expectWell({ service, client }: Running): Promise<void> {
  await until(() => (service.stats().queue as { admitted: number }).admitted === 0);
  expect(service.engine.leaks()).toEqual([]);
  const { uploadBytes, running, waiting } = service.engine.stats();
  expect({ uploadBytes, running, waiting }).toEqual({ uploadBytes: 0, running: 0, waiting: 0 });
  const file = await toFile(short, "hello.flac");
  const { text } = await client.audio.transcriptions.create({ file, model: "tiny", language: "en" });
  expect(text.toLowerCase()).toContain("good morning");
}

/**
 * The sample so many times on end. Said that often, it would be taken for a loop and tried again five times, were it not for
 * {@link ONCE}.
 */
function repeated(times: number): Buffer {
  const data = sample.subarray(44);
  const bytes = Buffer.concat([sample.subarray(0, 44), ...Array.from({ length: times }, () => data)]);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.writeUInt32LE(data.length * times, 40);
  return bytes;
}

/** Counts and sizes that headers lie with. */
const LIES = [0, 1, 2 ** 16, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

/** Sets words of 32 bits to such lies, half of them in what looks like a table's head: behind four letters. */
function lied(bytes: Uint8Array, random: () => number): Uint8Array<ArrayBuffer> {
  const copy = Buffer.from(bytes);
  const letters: number[] = [];
  for (let at = 0; at + 16 < copy.length; at++) {
    if (/^[a-z]{3}[a-z0-9 ]$/i.test(copy.toString("latin1", at, at + 4))) letters.push(at + 4);
  }
  for (let i = 0; i < 1 + random() * 4; i++) {
    const near = letters[Math.floor(random() * letters.length)];
    const at =
      near !== undefined && random() < 0.7
        ? near + 4 * Math.floor(random() * 4)
        : Math.floor(random() * (copy.length - 4));
    const lie = LIES[Math.floor(random() * LIES.length)]!;
    if (at + 4 > copy.length) continue;
    if (random() < 0.5) copy.writeUInt32BE(lie, at);
    else copy.writeUInt32LE(lie, at);
  }
  return new Uint8Array(copy);
}

/** Runs tasks a few at a time. */
async function inTurns(count: number, atOnce: number, task: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const walk = async () => {
    while (next < count) await task(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, walk));
}

describe("a service under fire", () => {
  let running: Running;
  beforeAll(async () => {
    running = await start({
      concurrency: 4,
      queue: 4,
      maxUploadBytes: 4 * MIB,
      memoryBytes: 160 * MIB,
      idleTimeout: 1000,
    });
  });
  afterAll(() => running?.server.close(0));

  it(`outlives ${ABORTS} clients that hang up at any moment`, async () => {
    const random = randomNumbers(SEED);
    const { client } = running;
    const outcomes = { done: 0, gone: 0, refused: 0 };
    await inTurns(ABORTS, 4, async () => {
      const abort = new AbortController();
      const stream = random() < 0.5;
      const bytes = random() < 0.3 ? repeated(5) : sample;
      const wait = random() ** 2 * 3000;
      const timer = setTimeout(() => abort.abort(), wait);
      try {
        const request = { file: await toFile(bytes, "a.wav"), model: "tiny", stream, ...ONCE };
        const answer = await client.audio.transcriptions.create(request as never, { signal: abort.signal });
        if (stream) for await (const _ of answer as unknown as AsyncIterable<unknown>);
        if (abort.signal.aborted) outcomes.gone++;
        else outcomes.done++;
      } catch (error) {
        if (error instanceof RateLimitError) {
          // Those that went may still be on their way out.
          outcomes.refused++;
          await new Promise((resolve) => setTimeout(resolve, 100));
        } else {
          expect(abort.signal.aborted, `seed ${SEED}: ${error}`).toBe(true);
          outcomes.gone++;
        }
      } finally {
        clearTimeout(timer);
      }
    });
    console.info(`hang-ups: ${JSON.stringify(outcomes)}`);
    expect(outcomes.gone).toBeGreaterThan(ABORTS / 4);
    await expectWell(running);
    expect(running.service.engine.stats().modelThreadsReplaced).toBe(0);
  });

  it("outlives forms that are cut off, in the body and on the line", async () => {
    const random = randomNumbers(SEED + 1);
    const { url } = running;
    const form = new FormData();
    form.set("model", "tiny");
    form.set("file", new Blob([short]), "hello.flac");
    const whole = new Response(form);
    const type = whole.headers.get("content-type")!;
    const body = new Uint8Array(await whole.arrayBuffer());
    for (let i = 0; i < 20; i++) {
      const cut = Math.floor(random() * (body.length - 4));
      const answer = await fetch(`${url}/v1/audio/transcriptions`, {
        method: "POST",
        body: body.subarray(0, cut),
        headers: { "content-type": type },
      });
      expect(answer.status, `seed ${SEED + 1}, cut at ${cut}`).toBe(400);
      expect((await answer.json()).error.type).toBe("invalid_request_error");
      const socket = connect(Number(new URL(url).port), "127.0.0.1");
      socket.write(
        `POST /v1/audio/transcriptions HTTP/1.1\r\nhost: a\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n`,
      );
      socket.write(body.subarray(0, cut));
      await new Promise((resolve) => setTimeout(resolve, random() * 30));
      socket.destroy();
    }
    await expectWell(running);
  });

  it(`outlives ${HOSTILE} hostile files`, async () => {
    const random = randomNumbers(SEED + 2);
    const statuses: Record<number, number> = {};
    const wrong: string[] = [];
    const files = Array.from({ length: HOSTILE }, (_, i) => {
      const { name, bytes } = sounds[i % sounds.length]!;
      return { name, bytes: random() < 0.4 ? lied(bytes, random) : mutated(bytes, random) };
    });
    await inTurns(HOSTILE, 4, async (i) => {
      const { name, bytes } = files[i]!;
      const form = new FormData();
      form.set("file", new Blob([bytes]), name);
      form.set("model", "tiny");
      form.set("language", "en");
      form.set("temperature", String(ONCE.temperature));
      const answer = await fetch(`${running.url}/v1/audio/transcriptions`, { method: "POST", body: form });
      const told = await answer.json();
      statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
      const hint = `seed ${SEED + 2}, file ${i}, ${name}: ${JSON.stringify(told)}`;
      const right = ["invalid_audio", "empty_file", "audio_too_long"].includes(told.error?.code) ? 400 : 200;
      if (answer.status !== right) wrong.push(`${answer.status}, ${hint}`);
    });
    console.info(
      `hostile files: ${JSON.stringify(statuses)}, ${JSON.stringify(running.service.engine.stats())}`,
    );
    expect(wrong).toEqual([]);
    expect(statuses[400]).toBeGreaterThan(HOSTILE / 10);
    await expectWell(running);
    expect(running.service.engine.stats().modelThreadsReplaced).toBe(0);
  });

  it("answers 408 to an upload that stands still", async () => {
    const socket = connect(Number(new URL(running.url).port), "127.0.0.1");
    let answer = "";
    socket.on("data", (data) => {
      answer += data;
    });
    socket.write(
      "POST /v1/audio/transcriptions HTTP/1.1\r\nhost: a\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: 1000\r\n\r\n--b\r\n",
    );
    await until(() => answer.includes("upload_timeout"));
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    socket.destroy();
    await expectWell(running);
  });

  it("answers 429 when all places are taken, and everybody else", async () => {
    const { client } = running;
    const results = await Promise.allSettled(
      Array.from({ length: 12 }, async () => {
        const file = await toFile(short, "a.flac");
        return client.audio.transcriptions.create({ file, model: "tiny", language: "en" });
      }),
    );
    const refused = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    expect(refused).toHaveLength(4);
    for (const error of refused) {
      expect(error).toBeInstanceOf(RateLimitError);
      expect(error).toMatchObject({ code: "queue_full", type: "rate_limit_error" });
      expect(Number(error.headers.get("retry-after"))).toBeGreaterThan(0);
    }
    for (const result of results) {
      if (result.status === "fulfilled") {
        expect(result.value.text.toLowerCase()).toContain("good morning");
      }
    }
    await expectWell(running);
  });

  it("does not let a short sound wait for a long one to end", async () => {
    const { client } = running;
    const order: string[] = [];
    const ask = async (name: string, bytes: Uint8Array) => {
      const file = await toFile(bytes, name);
      await client.audio.transcriptions.create({ file, model: "tiny", language: "en", ...ONCE });
      order.push(name);
    };
    const long = ask("long", repeated(5)); // two windows
    await until(() => running.service.engine.stats().running === 1);
    await Promise.all([long, ask("short", short)]);
    expect(order).toEqual(["short", "long"]);
  });

  it("does again what ran when the model's thread died, and ends a stream with an error", async () => {
    const { client, service } = running;
    const plain = [0, 1].map(async () => {
      const file = await toFile(sample, "a.wav");
      return client.audio.transcriptions.create({ file, model: "tiny", language: "en" });
    });
    const stream = await client.audio.transcriptions.create({
      file: await toFile(repeated(5), "long.wav"),
      model: "tiny",
      stream: true,
      ...ONCE,
    });
    const events = stream[Symbol.asyncIterator]();
    expect((await events.next()).value.type).toBe("transcript.text.delta");
    const waiting = toFile(sample, "a.wav").then((file) =>
      client.audio.transcriptions.create({ file, model: "tiny", language: "en" }),
    );
    await until(() => service.engine.stats().running >= 2);
    await service.engine.killModelThread();
    const error = await (async () => {
      while (!(await events.next()).done);
    })().catch((caught) => caught);
    expect(error).toMatchObject({ code: "server_overloaded" });
    for (const { text } of await Promise.all([...plain, waiting])) {
      expect(wordErrorRate([[WORDS, text]])).toBeLessThan(MISHEARD);
    }
    expect(service.engine.stats()).toMatchObject({ modelThreadsReplaced: 1 });
    expect(service.engine.stats().retries).toBeGreaterThan(0);
    await expectWell(running);
  });

  it("stays below its memory, and told every request in the log", () => {
    const { service, log } = running;
    const pools = service.stats().pools as { bytes: number }[];
    expect(pools.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(160 * MIB);
    expect(new Set(log.map(({ id }) => id)).size).toBe(log.length);
    // Cut forms count too: half of them were cut on the line.
    expect(log.filter(({ method }) => method === "POST").length).toBeGreaterThan(ABORTS + HOSTILE + 20);
    expect(log.filter(({ status }) => Number(status) === 500)).toEqual([]);
  });
});

describe("a service that is short of everything", () => {
  let running: Running;
  beforeAll(async () => {
    // Room for one upload of the largest size, and a turn for one.
    running = await start({
      concurrency: 1,
      queue: 5,
      maxUploadBytes: 4 * MIB,
      memoryBytes: 56 * MIB,
      waitTimeout: 300,
    });
  });
  afterAll(() => running?.server.close(0));

  it("answers 503 when a turn does not come", async () => {
    const { client } = running;
    const ask = async (bytes: Uint8Array) =>
      client.audio.transcriptions.create({
        file: await toFile(bytes, "a.wav"),
        model: "tiny",
        language: "en",
        ...ONCE,
      });
    const long = ask(repeated(2));
    await until(() => running.service.engine.stats().running === 1);
    const error = await ask(short).then(
      () => expect.unreachable("it had a turn"),
      (caught) => caught,
    );
    expect(error).toBeInstanceOf(InternalServerError);
    expect(error).toMatchObject({ status: 503, code: "server_overloaded" });
    expect(error.message).toMatch(/waited 0\.\d s for a turn/);
    expect(Number(error.headers.get("retry-after"))).toBeGreaterThan(0);
    await long;
    await expectWell(running);
  });

  it("answers 503 when there is no room for the upload", async () => {
    const { service, url } = running;
    const { maxUploadBytes } = service.engine.stats();
    const sockets = [];
    // They stand still, each with the room of a whole upload.
    while (service.engine.stats().uploadBytes + 4 * MIB <= maxUploadBytes) {
      const before = service.engine.stats().uploadBytes;
      const socket = connect(Number(new URL(url).port), "127.0.0.1");
      socket.on("error", () => {});
      socket.write(
        `POST /v1/audio/transcriptions HTTP/1.1\r\nhost: a\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: ${4 * MIB}\r\n\r\n--b\r\n`,
      );
      sockets.push(socket);
      await until(() => service.engine.stats().uploadBytes > before);
    }
    const form = new FormData();
    form.set("model", "tiny");
    form.set("file", new Blob([new Uint8Array(3.9 * MIB)]), "a.wav");
    const answer = await fetch(`${url}/v1/audio/transcriptions`, { method: "POST", body: form });
    expect([answer.status, (await answer.json()).error.message]).toEqual([
      503,
      expect.stringMatching(/waited 0\.\d s for room for the upload/),
    ]);
    for (const socket of sockets) socket.destroy();
    await expectWell(running);
  });

  it("ends what runs when its time to close is up, and says that nothing is left", async () => {
    const { client, service, server, url } = running;
    const call = toFile(repeated(10), "a.wav").then((file) =>
      client.audio.transcriptions.create({ file, model: "tiny", language: "en" }),
    );
    call.catch(() => undefined);
    await until(() => service.engine.stats().running === 1);
    service.drain();
    const health = await fetch(`${url}/health`);
    expect([health.status, (await health.json()).status]).toEqual([503, "draining"]);
    expect((await fetch(`${url}/v1/audio/transcriptions`, { method: "POST" })).status).toBe(503);
    const report = await server.close(200);
    await expect(call).rejects.toMatchObject({ status: 503, code: "server_overloaded" });
    expect(report.leaks).toEqual([]);
    await expect(fetch(`${url}/health`)).rejects.toThrow();
  });
});

/** Damages a file as one who looks for a hole would. */
function mutated(bytes: Uint8Array, random: () => number): Uint8Array<ArrayBuffer> {
  const copy = Uint8Array.from(bytes);
  const place = () => Math.floor(random() * copy.length);
  const times = 1 + Math.floor(random() * 8);
  const early = random() < 0.5; // in the headers, where sizes and counts are
  for (let i = 0; i < times; i++) {
    const at = early ? Math.floor(random() * Math.min(copy.length, 256)) : place();
    const kind = Math.floor(random() * 5);
    if (kind === 0) copy[at] = Math.floor(random() * 256);
    else if (kind === 1) copy[at]! ^= 1 << Math.floor(random() * 8);
    else if (kind === 2) copy.fill(255 * Math.round(random()), at, at + 1 + Math.floor(random() * 8));
    else if (kind === 3) copy.copyWithin(at, place(), place());
    else return copy.slice(0, at);
  }
  return copy;
}

describe("a service with two models, whose encoders have threads", () => {
  let running: Running;
  beforeAll(async () => {
    running = await start({ models: 2, encoderThread: true, concurrency: 4, queue: 4 });
  });
  afterAll(() => running?.server.close(0));

  it("answers on one while the other is replaced", async () => {
    const { client, service } = running;
    const ask = async () => {
      const file = await toFile(sample, "a.wav");
      const { text } = await client.audio.transcriptions.create({ file, model: "tiny", language: "en" });
      expect(wordErrorRate([[WORDS, text]])).toBeLessThan(MISHEARD);
    };
    const calls = Array.from({ length: 4 }, ask);
    await until(() => service.engine.stats().running === 4);
    await service.engine.killModelThread();
    await until(() => service.engine.stats().modelsLoaded === 1);
    expect(service.health()).toMatchObject({
      status: "degraded",
      reasons: expect.arrayContaining([expect.stringMatching(/^1 of 2 threads have the model/)]),
    });
    await Promise.all(calls);
    await until(() => service.engine.stats().modelsLoaded === 2);
    expect(service.engine.stats()).toMatchObject({ modelThreadsReplaced: 1, models: 2 });
    expect(service.engine.stats().retries).toBeGreaterThan(0);
    const text = await (await fetch(`${running.url}/metrics`)).text();
    expect(text).toMatch(/pool_acquires_total\{pool="encoder_output",place="model",thread="1"\} [1-9]/);
    await expectWell(running);
  });
});
