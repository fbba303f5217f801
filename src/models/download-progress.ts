/** How far a download has come. */
export interface DownloadProgress {
  /** File at work, as a path in the model. */
  file: string;
  /** Bytes of all files that are here, and that there are. */
  bytes: number;
  totalBytes: number;
  /** Bytes of `file` that are here. */
  fileBytes: number;
  /** Bytes a second over the last seconds; undefined until there is a figure. */
  bytesPerSecond: number | undefined;
  /** Seconds left at that rate. */
  secondsLeft: number | undefined;
}

/** Milliseconds that the rate is taken over, and between two reports. */
const WINDOW_MS = 5_000;
const REPORT_MS = 100;
/** Less than this is no measure of a rate. */
const LEAST_MS = 250;

/** Follows a download over all of its files. */
export interface ProgressMeter {
  /** A file's bytes are here up to `fileBytes`, of which `received` came just now over the network. */
  advance(file: string, fileBytes: number, received?: number): void;
  /** Reports now, whatever time has passed; at the end of a file. */
  report(): void;
}

/**
 * Begins to follow a download.
 *
 * @param totalBytes length of all files together
 * @param now milliseconds of a clock that does not go back
 */
export function createProgressMeter(
  totalBytes: number,
  onProgress: ((progress: DownloadProgress) => void) | undefined,
  now: () => number = () => performance.now(),
): ProgressMeter {
  const here = new Map<string, number>();
  /** Times, and what had come by then, the oldest first. */
  const marks = [{ at: now(), received: 0 }];
  let received = 0;
  let current = "";
  let reported = Number.NEGATIVE_INFINITY;

  function report() {
    const at = now();
    reported = at;
    marks.push({ at, received });
    while (marks.length > 2 && marks[1]!.at <= at - WINDOW_MS) marks.shift();
    const first = marks[0]!;
    const elapsed = at - first.at;
    const rate =
      elapsed >= LEAST_MS && received > first.received
        ? (1000 * (received - first.received)) / elapsed
        : undefined;
    const bytes = [...here.values()].reduce((sum, size) => sum + size, 0);
    onProgress?.({
      file: current,
      bytes,
      totalBytes,
      fileBytes: here.get(current) ?? 0,
      bytesPerSecond: rate,
      secondsLeft: bytes === totalBytes ? 0 : rate && (totalBytes - bytes) / rate,
    });
  }

  return {
    advance(file, fileBytes, newly = 0) {
      current = file;
      here.set(file, fileBytes);
      received += newly;
      if (now() - reported >= REPORT_MS) report();
    },
    report,
  };
}
