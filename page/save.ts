import { formatTranscription, type Transcription } from "wavepool";

/** Formats that the page saves, with their endings and types. */
const FORMATS = {
  text: { extension: "txt", type: "text/plain" },
  srt: { extension: "srt", type: "application/x-subrip" },
  vtt: { extension: "vtt", type: "text/vtt" },
  json: { extension: "json", type: "application/json" },
} as const;
export type SavedFormat = keyof typeof FORMATS;

/** Hands a transcript to the browser as a file to save. */
export function save(result: Transcription, format: SavedFormat, name: string): void {
  const { extension, type } = FORMATS[format];
  const url = URL.createObjectURL(new Blob([formatTranscription(result, format)], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${name}.${extension}`;
  link.click();
  // The download has its own hold on the blob once it has begun.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
