import { describe, expect, it } from "vitest";
import { InterruptedError, listenForInterrupt } from "../../src/cli/interrupt.ts";

describe("listenForInterrupt", () => {
  it.each([
    ["SIGINT", 130, "interrupted"],
    ["SIGTERM", 143, "stopped by SIGTERM"],
  ] as const)("aborts on %s with exit code %i", async (name, exitCode, message) => {
    const before = process.listenerCount(name);
    const interrupt = listenForInterrupt();
    expect(await interrupt.race(Promise.resolve(7))).toBe(7);
    const waiting = interrupt.race(new Promise(() => undefined));
    process.emit(name, name);
    await expect(waiting).rejects.toThrow(InterruptedError);
    await expect(waiting).rejects.toMatchObject({ exitCode, message });
    expect(interrupt.signal.reason).toMatchObject({ exitCode });
    await expect(interrupt.race(Promise.resolve(7))).rejects.toThrow(message);
    interrupt.stop();
    expect(process.listenerCount(name)).toBe(before);
  });

  it("passes on what the work throws", async () => {
    const interrupt = listenForInterrupt();
    await expect(interrupt.race(Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    interrupt.stop();
  });
});
