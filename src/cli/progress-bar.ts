import { oneLine } from "./report-error.ts";

const WIDTH = 24;
const DEFAULT_COLUMNS = 80;

/** A one-line progress display. */
export interface ProgressBar {
  /** Begins with one file of several; the stages that follow are its. */
  file(name: string, number: number, count: number): void;
  /** Shows a stage, the part of all the work that is done, 0 to 1, and the seconds left, where they are known. */
  show(stage: string, done: number, secondsLeft?: number): void;
  /** Wipes the line. */
  clear(): void;
}

/**
 * A bar that redraws its line on a terminal; elsewhere one line for each new stage, or for each file where there
 * are several, so that logs stay short.
 *
 * @param stream where to draw, usually stderr
 */
export function createProgressBar(stream: NodeJS.WriteStream): ProgressBar {
  let last = "";
  let prefix = "";
  if (!stream.isTTY) {
    return {
      file(name, number, count) {
        if (count === 1) return;
        prefix = name;
        stream.write(`wavepool: ${oneLine(name)} (${number} of ${count})\n`);
      },
      show(stage) {
        const name = stage.split(" ")[0]!;
        if (name !== last && prefix === "") stream.write(`wavepool: ${stage}\n`);
        last = name;
      },
      clear() {},
    };
  }
  return {
    file(name, number, count) {
      prefix = count === 1 ? "" : `${number}/${count} ${oneLine(name)}: `;
    },
    show(stage, done, secondsLeft) {
      const part = Math.min(1, Math.max(0, done));
      const filled = Math.round(part * WIDTH);
      const left = secondsLeft === undefined ? "" : `, ${clock(secondsLeft)} left,`;
      const line = `[${"#".repeat(filled)}${"-".repeat(WIDTH - filled)}] ${String(Math.round(part * 100)).padStart(3)} %${left} ${prefix}${stage}`;
      // A line that wraps could not be wiped.
      const shown = [...line].slice(0, (stream.columns || DEFAULT_COLUMNS) - 1).join("");
      if (shown !== last) stream.write(`\r\x1b[2K${shown}`);
      last = shown;
    },
    clear() {
      if (last !== "") stream.write("\r\x1b[2K");
      last = "";
    },
  };
}

/** "1:02:03", "2:03" or "0:03". */
function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes}:${two(whole % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}
