const WIDTH = 24;

/** A one-line progress display. */
export interface ProgressBar {
  /** Shows a stage and the part of the work that is done, 0 to 1. */
  show(stage: string, done: number): void;
  /** Wipes the line. */
  clear(): void;
}

/**
 * A bar that redraws its line on a terminal; elsewhere one line for each new stage, so that logs stay short.
 *
 * @param stream where to draw, usually stderr
 */
export function createProgressBar(stream: NodeJS.WriteStream): ProgressBar {
  let last = "";
  if (!stream.isTTY) {
    return {
      show(stage) {
        const name = stage.split(" ")[0]!;
        if (name !== last) stream.write(`wavepool: ${stage}\n`);
        last = name;
      },
      clear() {},
    };
  }
  return {
    show(stage, done) {
      const filled = Math.round(Math.min(1, Math.max(0, done)) * WIDTH);
      const line = `[${"#".repeat(filled)}${"-".repeat(WIDTH - filled)}] ${String(Math.round(done * 100)).padStart(3)} % ${stage}`;
      if (line !== last) stream.write(`\r\x1b[2K${line}`);
      last = line;
    },
    clear() {
      if (last !== "") stream.write("\r\x1b[2K");
      last = "";
    },
  };
}
