import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { parse } from "@plussub/srt-vtt-parser";
import OpenAI, {
  AuthenticationError,
  BadRequestError,
  NotFoundError,
  toFile,
  UnprocessableEntityError,
} from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SAMPLE, WORDS } from "../reference/sample.ts";
import { wordErrorRate } from "../reference/word-error-rate.ts";
import { isThere, NODE, RUNTIMES, type RunningService, startService, until } from "./runtimes.ts";

const KEY = "sk-right";
const bytes = readFileSync(SAMPLE);
const fixture = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url)));
const short = fixture("hello.flac");
const file = () => toFile(bytes, "hello.wav");
/** What tiny mishears at most: two words of fourteen. */
const MISHEARD = 0.15;
const errorRate = (text: string) => wordErrorRate([[WORDS, text]]);

/** What a call is rejected with. */
async function rejection(call: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  return call.then(
    () => expect.unreachable("it was answered"),
    (error) => error,
  );
}

describe.each(RUNTIMES)("the service on $name, called by the openai package", (runtime) => {
  const there = isThere(runtime);
  let service: RunningService;
  let client: OpenAI;
  const stats = async () =>
    (await fetch(`${service.url}/stats`, { headers: { authorization: `Bearer ${KEY}` } })).json();
  const post = (body: BodyInit, headers: Record<string, string> = {}) =>
    fetch(`${service.url}/v1/audio/transcriptions`, {
      method: "POST",
      body,
      headers: { authorization: `Bearer ${KEY}`, ...headers },
    });

  beforeAll(async () => {
    if (!there) return;
    service = await startService(
      runtime,
      // Node's as for those who ask for onnxruntime-node: the others, and faults.test.ts, have Wasm.
      ...(runtime === NODE ? ["--runtime", "native", "--threads", "1"] : []),
      ...["--api-key", KEY, "--max-upload", "400KB", "--max-duration", "10s", "--cors", "https://a.example"],
    );
    client = new OpenAI({ baseURL: `${service.url}/v1`, apiKey: KEY, maxRetries: 0 });
  });

  afterAll(() => void service?.child.kill("SIGKILL"));

  const create = (more: object, sound: Promise<File> = file() as Promise<File>) =>
    sound.then((one) =>
      client.audio.transcriptions.create({ file: one, model: "whisper-1", language: "en", ...more } as never),
    ) as Promise<unknown>;

  it.skipIf(!there)("answers json", async () => {
    const { text, usage } = (await create({})) as OpenAI.Audio.Transcription;
    expect(errorRate(text)).toBeLessThan(MISHEARD);
    expect(usage).toEqual({ type: "duration", seconds: 8 });
  });

  it.skipIf(!there)("answers text", async () => {
    const text = (await create({ response_format: "text" })) as string;
    expect(errorRate(text)).toBeLessThan(MISHEARD);
    expect(text.endsWith("\n")).toBe(true);
  });

  it.skipIf(!there).each(["srt", "vtt"])("answers %s", async (response_format) => {
    const { entries } = parse((await create({ response_format })) as string);
    expect(errorRate(entries.map(({ text }) => text).join(" "))).toBeLessThan(MISHEARD);
    for (const { from, to } of entries) expect(to).toBeGreaterThan(from);
  });

  it.skipIf(!there)("answers verbose_json, with segments where nobody says what to list", async () => {
    const answer = (await create({ response_format: "verbose_json" })) as OpenAI.Audio.TranscriptionVerbose;
    expect(answer).toMatchObject({ language: "english", task: "transcribe", duration: 7.19775 });
    expect(answer.usage).toEqual({ type: "duration", seconds: 8 });
    expect(answer.segments!.length).toBeGreaterThan(0);
    expect(answer.words).toBeUndefined();
    expect(Object.keys(answer.segments![0]!).sort()).toEqual(
      "avg_logprob compression_ratio end id no_speech_prob seek start temperature text tokens".split(" "),
    );
  });

  it.skipIf(!there)("answers verbose_json with words", async () => {
    const { words, segments } = (await create({
      response_format: "verbose_json",
      timestamp_granularities: ["word", "segment"],
    })) as OpenAI.Audio.TranscriptionVerbose;
    expect(errorRate(words!.map(({ word }) => word).join(" "))).toBeLessThan(MISHEARD);
    for (const { start, end } of words!) expect(end).toBeGreaterThanOrEqual(start);
    expect(segments!.length).toBeGreaterThan(0);
  });

  it.skipIf(!there)("streams events", async () => {
    const stream = await client.audio.transcriptions.create({
      file: await file(),
      model: "tiny",
      stream: true,
      response_format: "json",
    });
    let text = "";
    let done: OpenAI.Audio.TranscriptionTextDoneEvent | undefined;
    for await (const event of stream) {
      expect(done).toBeUndefined();
      if (event.type === "transcript.text.delta") text += event.delta;
      else if (event.type === "transcript.text.done") done = event;
    }
    expect(errorRate(text)).toBeLessThan(MISHEARD);
    expect(done!.text).toBe(text);
    expect(done!.usage).toMatchObject({ seconds: 8 });
  });

  it.skipIf(!there)("translates", async () => {
    const sound = await toFile(short, "hello.flac");
    const answer = await client.audio.translations.create({ file: sound, model: "whisper-1" });
    expect(answer.text.toLowerCase()).toContain("good morning");
    expect(Object.keys(answer)).toEqual(["text"]);
  });

  it.skipIf(!there)("lists its models", async () => {
    const { data } = await client.models.list();
    expect(data.map(({ id, object }) => [id, object])).toEqual([
      ["tiny", "model"],
      ["whisper-1", "model"],
    ]);
    expect((await client.models.retrieve("tiny")).id).toBe("tiny");
  });

  it.skipIf(!there).each([
    [
      "an unknown model",
      { model: "nope" },
      NotFoundError,
      "model",
      "model_not_found",
      /give tiny or whisper-1/,
    ],
    ["an unknown language", { language: "xx" }, BadRequestError, "language", "invalid_language", /xx/],
    [
      "an unknown format",
      { response_format: "docx" },
      BadRequestError,
      "response_format",
      "invalid_value",
      /verbose_json/,
    ],
    ["a temperature above 1", { temperature: 7 }, BadRequestError, "temperature", "invalid_value", /7.*1/],
    [
      "a temperature that is none",
      { temperature: "warm" },
      BadRequestError,
      "temperature",
      "invalid_value",
      /warm/,
    ],
    [
      "granularities without verbose_json",
      { timestamp_granularities: ["word"] },
      BadRequestError,
      "timestamp_granularities",
      "invalid_value",
      /verbose_json/,
    ],
  ])("refuses %s", async (_, more, kind, param, code, message) => {
    const error = await rejection(create(more));
    expect(error).toBeInstanceOf(kind);
    expect(error).toMatchObject({ param, code, type: "invalid_request_error" });
    expect(error.message).toMatch(message);
    expect(error.requestID).toMatch(/^req_/);
  });

  it.skipIf(!there).each([
    ["an empty file", () => toFile(Buffer.alloc(0), "a.wav"), 400, "empty_file", /empty.*send a sound/],
    [
      "a text",
      () => toFile(Buffer.from("no sound at all"), "a.wav"),
      400,
      "invalid_audio",
      /convert it first/,
    ],
    ["a file cut off", () => toFile(bytes.subarray(0, 100_000), "a.wav"), 400, "invalid_audio", /./],
    [
      "one too large",
      () => toFile(Buffer.alloc(20_000_000), "a.wav"),
      413,
      "file_too_large",
      /400000.*shorter/,
    ],
    ["one too long", () => toFile(silence(11), "a.wav"), 400, "audio_too_long", /10 s.*cut it/],
    ["nine channels", () => toFile(silence(0.1, 9), "a.wav"), 400, "invalid_audio", /8/],
  ])("refuses %s", async (_, sound, status, code, message) => {
    const error = await rejection(create({}, sound() as Promise<File>));
    expect(error).toMatchObject({ status, param: "file", code, type: "invalid_request_error" });
    expect(error.message).toMatch(message);
  });

  it.skipIf(!there)("refuses a form without file, JSON, and half a form", async () => {
    const form = new FormData();
    form.set("model", "tiny");
    const missing = await post(form);
    expect([missing.status, await missing.json()]).toMatchObject([400, { error: { code: "missing_file" } }]);
    form.delete("model");
    form.set("file", new Blob([short]), "a.flac");
    const nameless = await post(form);
    expect([nameless.status, await nameless.json()]).toMatchObject([
      400,
      { error: { code: "missing_parameter", param: "model" } },
    ]);
    for (const body of ['{"file": "a.wav"}', "{bad"]) {
      const json = await post(body, { "content-type": "application/json" });
      expect([json.status, await json.json()]).toMatchObject([
        415,
        { error: { type: "invalid_request_error", code: "unsupported_content_type" } },
      ]);
    }
    const cut = await post('--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nabc', {
      "content-type": "multipart/form-data; boundary=b",
    });
    expect([cut.status, await cut.json()]).toMatchObject([400, { error: { code: "invalid_form" } }]);
  });

  it.skipIf(!there)("refuses a wrong key, and none", async () => {
    for (const apiKey of ["sk-wrong", `${KEY}x`]) {
      const other = new OpenAI({ baseURL: `${service.url}/v1`, apiKey, maxRetries: 0 });
      const error = await rejection(other.models.list() as unknown as Promise<unknown>);
      expect(error).toBeInstanceOf(AuthenticationError);
      expect(error).not.toBeInstanceOf(UnprocessableEntityError);
      expect(error.code).toBe("invalid_api_key");
    }
    expect((await fetch(`${service.url}/v1/models`)).status).toBe(401);
  });

  it.skipIf(!there)("describes itself, and says how it is", async () => {
    const document = await (await fetch(`${service.url}/openapi.json`)).json();
    const form = document.components.schemas.CreateTranscriptionRequest;
    expect(document.openapi).toBe("3.1.0");
    expect(form.properties.response_format.enum).toEqual(["json", "text", "srt", "verbose_json", "vtt"]);
    expect(form.required).toEqual(["file", "model"]);
    expect(await (await fetch(`${service.url}/docs`)).text()).toContain("POST /v1/audio/transcriptions");
    expect(await (await fetch(`${service.url}/health`)).json()).toEqual({ status: "healthy", reasons: [] });
    const metrics = await fetch(`${service.url}/metrics`, { headers: { authorization: `Bearer ${KEY}` } });
    expect(metrics.headers.get("content-type")).toContain("text/plain");
    const text = await metrics.text();
    expect(text).toMatch(/^wavepool_stage_seconds_bucket\{stage="encoder",le="\+Inf"\} [1-9]/m);
    expect(text).toMatch(/^wavepool_pool_acquires_total\{pool="upload",place="exchange"\} [1-9]/m);
    expect(text).toMatch(/^wavepool_requests_total\{route="\/v1\/audio\/transcriptions",code="413"\} 1$/m);
    const missing = await fetch(`${service.url}/v2`, { headers: { authorization: `Bearer ${KEY}` } });
    expect([missing.status, (await missing.json()).error.code]).toEqual([404, "unknown_url"]);
  });

  it.skipIf(!there)("answers other origins only where they may", async () => {
    const from = async (origin: string) =>
      (await fetch(`${service.url}/health`, { headers: { origin } })).headers.get(
        "access-control-allow-origin",
      );
    expect(await from("https://a.example")).toBe("https://a.example");
    expect(await from("https://b.example")).toBeNull();
  });

  it.skipIf(!there)("stops when the client hangs up", async () => {
    const before = service.log().length;
    for (const stream of [false, true]) {
      const abort = new AbortController();
      const call = (async () => {
        const request = { file: await file(), model: "tiny", stream };
        const answer = await client.audio.transcriptions.create(request as never, { signal: abort.signal });
        for await (const _ of answer as unknown as AsyncIterable<unknown>);
      })();
      call.catch(() => undefined);
      await until(async () => (await stats()).queue.running > 0);
      abort.abort();
      await until(async () => (await stats()).queue.running === 0);
    }
    // A raw connection that goes away in the middle of its upload.
    const socket = connect(Number(new URL(service.url).port), "127.0.0.1");
    socket.write(
      `POST /v1/audio/transcriptions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${KEY}\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: 100000\r\n\r\n--b\r\n`,
    );
    await until(async () => (await stats()).queue.admitted > 0);
    socket.destroy();
    await until(async () => (await stats()).queue.admitted === 0);
    expect((await stats()).leaks).toEqual([]);
    const posts = service
      .log()
      .slice(before)
      .filter(({ method }) => method === "POST");
    expect(posts).toHaveLength(3);
  });

  it.skipIf(!there)("answers what runs after SIGTERM, says what its pools did, and ends with 0", async () => {
    const calls = [0, 1].map(() => create({ response_format: "text" }));
    await until(async () => (await stats()).queue.admitted === 2);
    service.child.kill("SIGTERM");
    for (const text of await Promise.all(calls)) expect(errorRate(text as string)).toBeLessThan(MISHEARD);
    expect(await service.ended).toBe(0);
    expect(service.stderr()).toMatch(/^model +mel +0 /m);
    expect(service.stderr()).toMatch(/no leaks\n$/);
  });

  it.skipIf(!there)("logged a line a request, without what clients sent", () => {
    const log = service.log();
    const done = log.find(({ status, route }) => status === 200 && route === "/v1/audio/transcriptions");
    expect(done).toMatchObject({
      event: "request",
      method: "POST",
      bytes: bytes.length,
      pool_bytes: 262144 + 4 * 65536, // one piece of upload, and a ring of sound
      seconds: 7.2,
    });
    expect(Object.keys(done!)).toEqual(
      expect.arrayContaining(["id", "queue_ms", "encoder_ms", "decoder_ms"]),
    );
    expect(JSON.stringify(log)).not.toMatch(/sk-|hello\.wav|ood morning|no sound at all/);
  });
});

/** A WAV of silence. */
function silence(seconds: number, channels = 1): Buffer {
  const rate = 8000;
  const data = Math.round(seconds * rate) * channels * 2;
  const wav = Buffer.alloc(44 + data);
  wav.write("RIFF", 0);
  wav.writeUInt32LE(36 + data, 4);
  wav.write("WAVEfmt ", 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(channels, 22);
  wav.writeUInt32LE(rate, 24);
  wav.writeUInt32LE(rate * channels * 2, 28);
  wav.writeUInt16LE(channels * 2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write("data", 36);
  wav.writeUInt32LE(data, 40);
  return wav;
}
