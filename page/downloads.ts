import type { DownloadProgress } from "wavepool";

/** Shows how far something is. */
export interface ProgressBar {
  /** A part from 0 to 1; undefined for one that is not known. */
  at(part: number | undefined): void;
  hide(): void;
}

export function createProgressBar(bar: HTMLProgressElement): ProgressBar {
  return {
    at(part) {
      bar.hidden = false;
      if (part === undefined) bar.removeAttribute("value");
      else bar.value = part;
    },
    hide() {
      bar.hidden = true;
    },
  };
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);

/** "Downloading the model: 12 of 80 MB, 9 s left". */
export function downloadText({ bytes, totalBytes, secondsLeft }: DownloadProgress): string {
  const left = secondsLeft === undefined ? "" : `, ${Math.ceil(secondsLeft)} s left`;
  return `Downloading the model: ${megabytes(bytes)} of ${megabytes(totalBytes)} MB${left}`;
}
