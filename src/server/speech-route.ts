import type { Context } from "hono";
import type { Segment, Task, Transcription } from "../transcription/transcription.ts";
import { answer, createStreamWriter, jobOptions } from "./answer.ts";
import { knownModel, noteError, type RequestEnv } from "./app.ts";
import { requestBytes } from "./engine/blocks.ts";
import { ApiError, errorBody, invalid, toApiError } from "./errors.ts";
import { type Received, receiveForm } from "./receive.ts";
import { type SpeechRequest, TranscriptionRequest, TranslationRequest } from "./schemas.ts";
import type { House, Visit } from "./service.ts";

type Work = AsyncGenerator<Segment, Transcription, void>;

/** `POST /v1/audio/transcriptions` and `/v1/audio/translations`. Everything that a request took is back when it ends, however. */
export async function speechRoute(c: Context<RequestEnv>, house: House, task: Task): Promise<Response> {
  const visit = house.enter(c.req.raw, c.env.gone);
  const note = c.get("note");
  let received: Received | undefined;
  let streaming = false;
  const end = () => {
    received?.file?.release();
    visit.leave();
  };
  try {
    const began = performance.now();
    received = await receiveForm(c.req.raw, house.engine, house.settings, visit.signal);
    const uploaded = performance.now();
    house.metrics.stage("upload", uploaded - began);
    const request = checkedRequest(task, received);
    const file = checkedFile(received);
    knownModel(house, request.model);
    note({ bytes: file.size, pool_bytes: requestBytes(file), upload_ms: Math.round(uploaded - began) });
    const work = house.engine.transcribe(file, jobOptions(task, request), {
      signal: visit.signal,
      segments: request.stream,
      timeout: house.settings.waitTimeout,
      onBegin() {
        const waited = performance.now() - uploaded;
        house.metrics.stage("queue", waited);
        note({ queue_ms: Math.round(waited) });
      },
    });
    // Also of a stream: what is wrong with the sound shows before its first text, and has a status of its own.
    const first = await work.next();
    if (request.stream) {
      streaming = true;
      return streamed(c, house, visit, work, first, end);
    }
    let step = first;
    while (!step.done) step = await work.next();
    noteResult(c, house, step.value);
    return answer(task, request, step.value);
  } catch (error) {
    throw visit.signal.aborted ? visit.signal.reason : error;
  } finally {
    if (!streaming) end();
  }
}

/** The segments as they come, in events; a client that goes stops the work. */
function streamed(
  c: Context<RequestEnv>,
  house: House,
  visit: Visit,
  work: Work,
  first: IteratorResult<Segment, Transcription>,
  end: () => void,
): Response {
  const finish = c.get("streams")();
  const writer = createStreamWriter();
  const encoder = new TextEncoder();
  let step: IteratorResult<Segment, Transcription> | undefined = first;
  let over = false;
  let gone = false;
  let stalled: ReturnType<typeof setTimeout> | undefined;
  const finishOnce = (status: number) => {
    clearTimeout(stalled);
    if (over) return;
    over = true;
    end();
    finish(status);
  };
  async function hangUp(controller?: ReadableStreamDefaultController): Promise<void> {
    gone = true;
    visit.abort();
    controller?.error(visit.signal.reason);
    // The upload is read until then.
    await work.return(undefined as never).catch(() => undefined);
    finishOnce(499);
  }
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      clearTimeout(stalled);
      try {
        while (!over) {
          const { done, value } = step ?? (await work.next());
          step = undefined;
          if (done) {
            noteResult(c, house, value);
            controller.enqueue(encoder.encode(writer.done(value)));
            controller.close();
            finishOnce(200);
            return;
          }
          const text = writer.segment(value);
          if (text === "") continue;
          controller.enqueue(encoder.encode(text));
          stalled = setTimeout(() => void hangUp(controller), house.settings.streamTimeout);
          return;
        }
      } catch (error) {
        if (over || gone) return;
        const known = toApiError(visit.signal.aborted ? visit.signal.reason : error);
        noteError(c, known);
        controller.enqueue(encoder.encode(writer.error(errorBody(known))));
        controller.close();
        finishOnce(known.status);
      }
    },
    cancel: () => hangUp(),
  });
  return c.body(body, 200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
}

function noteResult(
  c: Context<RequestEnv>,
  house: House,
  { duration, times, windows, providers }: Transcription,
) {
  const { audio, mel, encoder, decoder } = times;
  for (const [stage, milliseconds] of Object.entries({ audio, mel, encoder, decoder })) {
    house.metrics.stage(stage as "audio", milliseconds);
  }
  house.metrics.sound(duration);
  const rounded = Object.fromEntries(
    Object.entries({ audio, mel, encoder, decoder }).map(([stage, ms]) => [`${stage}_ms`, Math.round(ms)]),
  );
  c.get("note")({
    seconds: Math.round(duration * 100) / 100,
    windows,
    ...rounded,
    provider: `${providers.encoder}, ${providers.decoder}`,
    ...(providers.passedOver.length > 0 && { passed_over: providers.passedOver }),
  });
}

function checkedFile({ file }: Received) {
  if (!file) {
    throw invalid("file", "there is no file; send the sound as the form's file", "missing_file");
  }
  if (file.size === 0) throw invalid("file", "the file is empty; send a sound file", "empty_file");
  return file;
}

/** Fields that may come several times. */
const LISTS = new Set(["timestamp_granularities"]);

/** @throws ApiError naming the field at fault, its value and what it takes. */
function checkedRequest(task: Task, { fields }: Received): SpeechRequest {
  // The file was looked at already, and is in the schemas for the document's sake.
  const given: Record<string, unknown> = { file: "" };
  for (const [name, values] of fields) {
    // An empty language, say, is none.
    if (LISTS.has(name)) given[name] = values;
    else if (values[0] !== "" || name === "model") given[name] = values[0];
  }
  const schema = task === "translate" ? TranslationRequest : TranscriptionRequest;
  const { success, data, error } = schema.safeParse(given);
  if (success) return { stream: false, ...data } as SpeechRequest;
  const issue = error.issues[0]!;
  const param = String(issue.path[0] ?? "");
  const value = fields.get(param)?.join(", ");
  if (value === undefined) {
    throw new ApiError(400, `${param} is missing; give it as a field of the form`, {
      param,
      code: "missing_parameter",
    });
  }
  throw invalid(param, `${param} is ${JSON.stringify(value.slice(0, 100))}; ${issue.message}`);
}
