/** The page: speak or drop a file, and read. Also an example of how the parts go together. */
import {
  createMicrophone,
  createSpeechWorker,
  LANGUAGE_NAMES,
  type Microphone,
  type Segment,
  type SpeechWorker,
  type Transcription,
  WavepoolError,
} from "wavepool";
import { createProgressBar, downloadText } from "./downloads.ts";
import { createMeters, stageFigures } from "./meters.ts";
import { type SavedFormat, save } from "./save.ts";
import { createSpectrogram } from "./spectrogram.ts";
import { createTranscript } from "./transcript.ts";

const part = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const modelChoice = part<HTMLSelectElement>("model");
const languageChoice = part<HTMLSelectElement>("language");
const providerChoice = part<HTMLSelectElement>("provider");
const deviceChoice = part<HTMLSelectElement>("device");
const recordButton = part<HTMLButtonElement>("record");
const cancelButton = part<HTMLButtonElement>("cancel");
const fileInput = part<HTMLInputElement>("file");
const drop = part("drop");
const state = part("state");
const errorLine = part("error");

const BINS = 80;
const bar = createProgressBar(part<HTMLProgressElement>("progress"));
const transcript = createTranscript(part("segments"), part("partial"), part("empty"));
const meters = createMeters(part("pools"), part("figures"));
const picture = createSpectrogram(part<HTMLCanvasElement>("spectrogram"), BINS);

/** URL of a file beside the page. */
const beside = (path: string) => new URL(path, document.baseURI);

/** Directories of models on this site, by name; others come from the hub. */
const ownModels: Record<string, string> = await fetch(beside("models.json"))
  .then((answer) => (answer.ok ? answer.json() : {}))
  .catch(() => ({}));

function fill(select: HTMLSelectElement, options: Iterable<readonly [value: string, text: string]>): void {
  select.replaceChildren(...[...options].map(([value, text]) => new Option(text, value)));
}
const capitalised = (name: string) => name.slice(0, 1).toUpperCase() + name.slice(1);
fill(modelChoice, [
  ["tiny", "Tiny: quick"],
  ["base", "Base"],
  ["small", "Small: more exact"],
]);
fill(languageChoice, [
  ["auto", "Find out"],
  ...Object.entries(LANGUAGE_NAMES)
    .map(([code, name]) => [code, capitalised(name)] as const)
    .sort(([, a], [, b]) => a.localeCompare(b)),
]);
fill(providerChoice, [
  ["", "Best there is"],
  ["webnn", "WebNN"],
  ["webgpu", "WebGPU"],
  ["wasm", "WebAssembly"],
]);

/** What the page is at: one thing at a time. */
let speech: { key: string; worker: SpeechWorker } | undefined;
let work: AbortController | undefined;
let microphone: Microphone | undefined;
let result: Transcription | undefined;

function say(text: string): void {
  state.textContent = text;
}

function fail(error: unknown): void {
  errorLine.textContent =
    error instanceof WavepoolError ? capitalised(error.message) : `Something went wrong: ${String(error)}`;
  errorLine.hidden = false;
  say("");
}

/** The worker for what is chosen now; an earlier choice's is ended. */
async function speechWorker(signal: AbortSignal): Promise<SpeechWorker> {
  const key = `${modelChoice.value} ${providerChoice.value}`;
  if (speech?.key === key) return speech.worker;
  await speech?.worker.dispose();
  speech = undefined;
  say("Loading the model …");
  bar.at(undefined);
  const own = ownModels[modelChoice.value];
  const worker = await createSpeechWorker({
    model: own === undefined ? modelChoice.value : beside(own).href,
    ...(providerChoice.value !== "" && { providers: [providerChoice.value, "wasm"] as never }),
    runtimeFiles: beside("onnxruntime/").href,
    worker: beside("speech-worker.js"),
    signal,
    onDownload(progress) {
      bar.at(progress.bytes / progress.totalBytes);
      say(downloadText(progress));
    },
    onLoading() {
      bar.at(undefined);
      say("Loading the model …");
    },
  });
  speech = { key, worker };
  return worker;
}

const language = () => (languageChoice.value === "auto" ? {} : { language: languageChoice.value });

/** Begins something new: what was there is gone. */
function begin(): AbortController {
  errorLine.hidden = true;
  transcript.clear();
  picture.clear();
  setResult(undefined);
  work = new AbortController();
  cancelButton.hidden = false;
  for (const control of [modelChoice, providerChoice, languageChoice, deviceChoice, fileInput]) {
    control.disabled = true;
  }
  return work;
}

function end(): void {
  work = undefined;
  bar.hide();
  cancelButton.hidden = true;
  recordButton.disabled = false;
  recordButton.textContent = "Speak";
  recordButton.setAttribute("aria-pressed", "false");
  for (const control of [modelChoice, providerChoice, languageChoice, deviceChoice, fileInput]) {
    control.disabled = false;
  }
}

function setResult(whole: Transcription | undefined): void {
  result = whole;
  for (const button of document.querySelectorAll<HTMLButtonElement>("#exports button")) {
    button.disabled = whole === undefined;
  }
}

/** Runs one piece of work; what goes wrong is shown, unless it was stopped on purpose. */
async function run(job: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const { signal } = begin();
  try {
    await job(signal);
  } catch (error) {
    if (signal.aborted) say("Stopped.");
    else fail(error);
  } finally {
    end();
  }
}

/** A sound file from disk to text. */
function transcribeFile(file: File): Promise<void> {
  return run(async (signal) => {
    recordButton.disabled = true;
    const worker = await speechWorker(signal);
    say(`Listening to ${file.name} …`);
    bar.at(undefined);
    const segments = worker.stream(file, {
      ...language(),
      signal,
      onProgress({ seconds, duration }) {
        bar.at(duration === undefined ? undefined : seconds / duration);
      },
    });
    let step = await segments.next();
    while (!step.done) {
      transcript.add(step.value);
      step = await segments.next();
    }
    finish(step.value);
    await showPools(worker);
  });
}

/** From the microphone until the button is pressed again. */
function listen(): Promise<void> {
  return run(async (signal) => {
    recordButton.textContent = "Finish";
    recordButton.setAttribute("aria-pressed", "true");
    const worker = await speechWorker(signal);
    const opened = await createMicrophone({
      speech: worker,
      processorUrl: beside("microphone-processor.js"),
      ...language(),
      ...(deviceChoice.value !== "" && { deviceId: deviceChoice.value }),
      signal,
    });
    microphone = opened;
    bar.hide();
    void listDevices();
    const stop = () => void opened.close();
    signal.addEventListener("abort", stop, { once: true });
    opened.addEventListener("statechange", () => showState(opened));
    showState(opened);
    const timer = setInterval(() => void showPools(worker), 500);
    drawWhile(opened);
    try {
      for await (const heard of opened) {
        if (heard.type === "partial") transcript.partial(heard.text);
        else transcript.add(heard.segment);
      }
      signal.throwIfAborted();
      finish(await opened.stop());
    } finally {
      clearInterval(timer);
      signal.removeEventListener("abort", stop);
      await opened.close();
      microphone = undefined;
      await showPools(worker);
    }
  });
}
