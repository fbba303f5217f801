/** The page: speak or drop a file, and read. Also an example of how the parts go together. */
import {
  createMicrophone,
  createSpeechWorker,
  LANGUAGE_NAMES,
  type Microphone,
  type SpeechWorker,
  type SpeechWorkerStatistics,
  type Transcription,
  WavepoolError,
} from "wavepool";
import { createProgressBar, downloadText } from "./downloads.ts";
import { missingFeatures } from "./features.ts";
import { drawFile } from "./file-picture.ts";
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
/** What is chosen before something begins, and not while it goes on. */
const choices = [modelChoice, providerChoice, languageChoice, deviceChoice, fileInput];
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
  transcript.partial("");
}

/** The worker for what is chosen now; an earlier choice's is ended. */
async function speechWorker(signal: AbortSignal): Promise<SpeechWorker> {
  const key = `${modelChoice.value} ${providerChoice.value}`;
  if (speech?.key === key && !speech.worker.lost) return speech.worker;
  const before = speech;
  speech = undefined;
  await before?.worker.dispose();
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
  for (const control of choices) control.disabled = true;
  return work;
}

function end(): void {
  work = undefined;
  bar.hide();
  cancelButton.hidden = true;
  recordButton.disabled = false;
  recordButton.textContent = "Speak";
  recordButton.setAttribute("aria-pressed", "false");
  for (const control of choices) control.disabled = false;
}

function setResult(whole: Transcription | undefined): void {
  result = whole;
  for (const button of document.querySelectorAll<HTMLButtonElement>("#exports button")) {
    button.disabled = whole === undefined;
  }
}

/** Runs one piece of work; what goes wrong is shown, unless it was stopped on purpose. */
async function run(job: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = begin();
  const { signal } = controller;
  try {
    await job(signal);
  } catch (error) {
    if (signal.aborted) say("Cancelled.");
    else fail(error);
  } finally {
    // Whatever goes on beside it, such as the picture of a file, ends too.
    controller.abort(new Error("the run is over"));
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
    // Whether it is a sound at all, the transcription tells.
    void drawFile(file, picture, signal).catch(() => undefined);
    const segments = worker.stream(file, {
      ...language(),
      signal,
      onProgress({ seconds, duration }) {
        bar.at(duration ? Math.min(1, seconds / duration) : undefined);
      },
    });
    let step = await segments.next();
    while (!step.done) {
      transcript.add(step.value);
      step = await segments.next();
    }
    finish(step.value);
    showFigures(await worker.stats(), { Sound: `${step.value.duration.toFixed(1)} s` });
  });
}

/** From the microphone until the button is pressed again. */
function listen(): Promise<void> {
  return run(async (signal) => {
    recordButton.disabled = true;
    say("Asking for the microphone …");
    let worker!: SpeechWorker;
    const opened = await createMicrophone({
      // The microphone is asked for first: the click counts now, and who says no need not wait for a model.
      speech: async () => {
        worker = await speechWorker(signal);
        return worker;
      },
      processorUrl: beside("microphone-processor.js"),
      ...language(),
      ...(deviceChoice.value !== "" && { deviceId: deviceChoice.value }),
      signal,
    });
    recordButton.disabled = false;
    recordButton.textContent = "Finish";
    recordButton.setAttribute("aria-pressed", "true");
    recordButton.focus();
    microphone = opened;
    bar.hide();
    void listDevices();
    opened.addEventListener("statechange", () => sayState(opened));
    sayState(opened);
    const timer = setInterval(() => void showMicrophone(opened, worker).catch(() => undefined), 500);
    draw(opened);
    try {
      for await (const heard of opened) {
        if (heard.type === "partial") transcript.partial(heard.text);
        else transcript.add(heard.segment);
      }
      finish(await opened.stop());
    } finally {
      clearInterval(timer);
      microphone = undefined;
      await opened.close();
      await showMicrophone(opened, worker);
    }
  });
}

function finish(whole: Transcription): void {
  setResult(whole);
  transcript.partial("");
  say(whole.text === "" ? "No speech was heard." : `Done: ${whole.duration.toFixed(1)} s of sound.`);
}

const STATES: Record<Microphone["state"], string> = {
  starting: "Starting …",
  listening: "Listening. Press Finish when you are done.",
  paused: "Paused by the browser. Click anywhere to go on.",
  finishing: "Writing down the rest …",
  stopped: "",
  failed: "",
};

function sayState({ state, transport }: Microphone): void {
  const note =
    state === "listening" && transport === "transferred"
      ? " This page is not isolated: sound is handed over in messages."
      : "";
  say(STATES[state] + note);
}

/** Draws new frames with the display, as long as the microphone is open. */
function draw({ spectrogram }: Microphone): void {
  const next = () => {
    picture.draw(spectrogram.frames, spectrogram.capacity, spectrogram.written);
    if (microphone) requestAnimationFrame(next);
  };
  next();
}

async function showMicrophone(opened: Microphone, worker: SpeechWorker): Promise<void> {
  // A worker that died has no figures; why it did is shown already.
  if (worker.lost) return;
  const figures = await opened.stats();
  const { quanta, dropped, fill } = figures;
  showFigures(figures, {
    Transport: opened.transport,
    "Sample rate": `${opened.sampleRate} Hz`,
    Quanta: String(quanta),
    "Dropped quanta": String(dropped),
    ...(fill !== undefined && { "Ring in use": `${(100 * fill).toFixed(0)} %` }),
  });
}

function showFigures(
  { pools, providers, lostSeconds }: SpeechWorkerStatistics,
  more: Record<string, string>,
): void {
  meters.pools(pools);
  meters.figures({
    ...(providers && { "Encoder runs on": providers.encoder, "Decoder runs on": providers.decoder }),
    ...more,
    ...(lostSeconds > 0 && { "Speech lost": `${lostSeconds.toFixed(1)} s` }),
    ...(result && stageFigures(result.times)),
  });
}

/** Names of microphones are told once one was allowed. */
async function listDevices(): Promise<void> {
  const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  const chosen = deviceChoice.value;
  const inputs = devices.filter(({ kind, deviceId, label }) => kind === "audioinput" && deviceId && label);
  fill(deviceChoice, [["", "Default"], ...inputs.map(({ deviceId, label }) => [deviceId, label] as const)]);
  deviceChoice.value = chosen;
}

// Nothing of a file or a recording outlives the page: the browser ends its workers and worklets.
recordButton.addEventListener("click", () => {
  if (microphone) void microphone.stop().catch(() => undefined);
  else if (!work) void listen();
});
cancelButton.addEventListener("click", () => work?.abort(new Error("stopped")));
document.addEventListener("click", () => {
  if (microphone?.state === "paused") void microphone.resume();
});
fileInput.addEventListener("change", () => {
  const file = fileInput.files?.[0];
  fileInput.value = "";
  if (file && !work) void transcribeFile(file);
});
for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) drop.classList.remove("over");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const file = event.dataTransfer?.files[0];
  if (file && !work) void transcribeFile(file);
});
for (const button of document.querySelectorAll<HTMLButtonElement>("#exports button")) {
  button.addEventListener("click", () => {
    if (result) save(result, button.dataset.format as SavedFormat, "transcript");
  });
}
navigator.mediaDevices?.addEventListener?.("devicechange", () => void listDevices());
void listDevices();

const missing = await missingFeatures();
part("features").textContent = missing.notes.join(" ");
if (missing.fatal !== undefined) {
  fail(new WavepoolError("unsupported-runtime", "failure", missing.fatal));
  recordButton.disabled = true;
  fileInput.disabled = true;
}
