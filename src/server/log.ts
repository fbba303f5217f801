/** Values of a line of the log. */
export type LogValues = Readonly<Record<string, unknown>>;

/** Writes a line of JSON an event. */
export interface Log {
  info(event: string, values?: LogValues): void;
  warn(event: string, values?: LogValues): void;
  error(event: string, values?: LogValues): void;
}

/** Makes a log on whatever takes lines. */
export function createLog(write: (line: string) => void): Log {
  const at =
    (level: string) =>
    (event: string, values: LogValues = {}) =>
      write(`${JSON.stringify({ time: new Date().toISOString(), level, event, ...values })}\n`);
  return { info: at("info"), warn: at("warn"), error: at("error") };
}
