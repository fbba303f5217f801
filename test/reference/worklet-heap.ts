import type { Page } from "playwright-core";

/** What the sampling heap profiler gives. */
interface ProfileNode {
  selfSize: number;
  callFrame: { functionName: string; url: string };
  children: ProfileNode[];
}

/** Bytes allocated by the served scripts and by what they call; not by the engine between calls. */
function allocatedBytes(node: ProfileNode, within = false): number {
  const inside = within || node.callFrame.url.startsWith("http");
  return node.children.reduce(
    (sum, child) => sum + allocatedBytes(child, inside),
    inside ? node.selfSize : 0,
  );
}

/** A session of the DevTools protocol with the isolate of the page's worklet, which the page must make later. */
export async function inspectWorklet(page: Page) {
  const session = await page.context().newCDPSession(page);
  const pending = new Map<number, (answer: { result: unknown; error?: { message: string } }) => void>();
  const attached = new Promise<string>((resolve) => {
    session.on("Target.attachedToTarget", ({ sessionId, targetInfo }) => {
      if (targetInfo.type === "worklet") resolve(sessionId);
    });
  });
  session.on("Target.receivedMessageFromTarget", ({ message }) => {
    const answer = JSON.parse(message);
    pending.get(answer.id)?.(answer);
  });
  // Not flattened: playwright speaks to the sessions that it opened itself only.
  await session.send("Target.setAutoAttach", {
    autoAttach: true,
    waitForDebuggerOnStart: false,
    flatten: false,
  });
  return async <R>(method: string, params: object = {}): Promise<R> => {
    const id = pending.size + 1;
    const answer = new Promise<R>((resolve, reject) => {
      pending.set(id, ({ result, error }) =>
        error ? reject(new Error(`${method}: ${error.message}`)) : resolve(result as R),
      );
    });
    const sessionId = await attached;
    await session.send("Target.sendMessageToTarget", {
      sessionId,
      message: JSON.stringify({ id, method, params }),
    });
    return answer;
  };
}

/** Bytes that the worklet's scripts allocate meanwhile, those collected since included. */
export async function allocatedIn(
  send: Awaited<ReturnType<typeof inspectWorklet>>,
  work: () => Promise<unknown>,
): Promise<number> {
  await send("HeapProfiler.startSampling", {
    samplingInterval: 128,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
  await work();
  const { profile } = await send<{ profile: { head: ProfileNode } }>("HeapProfiler.stopSampling");
  return allocatedBytes(profile.head);
}
