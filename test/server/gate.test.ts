import { describe, expect, it } from "vitest";
import { createGate } from "../../src/server/engine/gate.ts";
import { BusyError } from "../../src/server/engine/messages.ts";

const PATIENT = { timeout: 60_000 };

describe("a gate", () => {
  it("lets in what fits, and the rest in order of arrival", async () => {
    const gate = createGate(4, "room");
    const order: string[] = [];
    const enter = (name: string, weight: number) =>
      gate.enter(weight, PATIENT).then((leave) => {
        order.push(name);
        return leave;
      });
    const leaveA = await enter("a", 3);
    const b = enter("b", 2);
    const c = enter("c", 1); // would fit, but came after b
    await Promise.resolve();
    expect([gate.used, gate.waiting]).toEqual([3, 2]);
    leaveA(1);
    const leaves = await Promise.all([b]);
    expect(order).toEqual(["a", "b"]);
    leaveA();
    leaveA();
    leaves.push(await c);
    expect([order, gate.used]).toEqual([["a", "b", "c"], 3]);
    for (const leave of leaves) leave();
    expect([gate.used, gate.waiting]).toEqual([0, 0]);
  });

  it("gives up after its time, and lets those behind pass", async () => {
    const gate = createGate(2, "room for the upload");
    const leave = await gate.enter(1, PATIENT);
    const heavy = gate.enter(2, { timeout: 20 });
    const light = gate.enter(1, PATIENT);
    await expect(heavy).rejects.toThrow(BusyError);
    await expect(heavy).rejects.toThrow(/waited 0\.\d s for room for the upload/);
    (await light)();
    leave();
    expect([gate.used, gate.waiting]).toEqual([0, 0]);
  });

  it("stops waiting when the signal aborts", async () => {
    const gate = createGate(1, "a turn");
    const leave = await gate.enter(1, PATIENT);
    const abort = new AbortController();
    const waiting = gate.enter(1, { ...PATIENT, signal: abort.signal });
    abort.abort(new Error("gone"));
    await expect(waiting).rejects.toThrow("gone");
    await expect(gate.enter(1, { ...PATIENT, signal: abort.signal })).rejects.toThrow("gone");
    leave();
    expect([gate.used, gate.waiting]).toEqual([0, 0]);
  });
});
