import { describe, expect, it } from "vitest";
import { createTurns } from "../../src/transcription/turns.ts";

describe("createTurns", () => {
  it("gives one turn at a time, in order of arrival", async () => {
    const turns = createTurns();
    const order: string[] = [];
    const work = async (name: string) => {
      const end = await turns.take();
      order.push(`${name} begins`);
      await new Promise((resolve) => setTimeout(resolve, 2));
      order.push(`${name} ends`);
      end();
      end();
    };
    await Promise.all(["a", "b", "c"].map(work));
    expect(order).toEqual(["a", "b", "c"].flatMap((name) => [`${name} begins`, `${name} ends`]));
  });

  it("lets who waits leave at once, and those behind come up", async () => {
    const turns = createTurns();
    const end = await turns.take();
    const leaver = new AbortController();
    const second = turns.take(leaver.signal);
    const third = turns.take();
    leaver.abort(new Error("leave"));
    await expect(second).rejects.toThrow("leave");
    let came = false;
    const arrival = third.then((endThird) => {
      came = true;
      endThird();
    });
    await new Promise((resolve) => setTimeout(resolve, 2));
    expect(came).toBe(false);
    end();
    await arrival;
    expect(came).toBe(true);
  });

  it("refuses a signal that is aborted already, and takes no turn", async () => {
    const turns = createTurns();
    await expect(turns.take(AbortSignal.abort(new Error("late")))).rejects.toThrow("late");
    (await turns.take())();
  });
});
