import { expect, it } from "vitest";
import { createInbox } from "../../src/browser/inbox.ts";

it("gives what was put in, before and while it is read, until it ends", async () => {
  const inbox = createInbox<number>();
  inbox.put(1);
  inbox.put(2);
  const read: number[] = [];
  const reading = (async () => {
    for await (const value of inbox) read.push(value);
  })();
  await Promise.resolve();
  inbox.put(3);
  inbox.end();
  inbox.put(4);
  await reading;
  expect(read).toEqual([1, 2, 3]);
});

it("throws once what is there was given", async () => {
  const inbox = createInbox<number>();
  const read: number[] = [];
  inbox.put(1);
  inbox.fail(new Error("gone"));
  inbox.fail(new Error("later"));
  await expect(
    (async () => {
      for await (const value of inbox) read.push(value);
    })(),
  ).rejects.toThrow("gone");
  expect(read).toEqual([1]);
});
