/** The thread that runs an encoder: features are read from shared memory, the output is written there. */
import { threadHost } from "#threads";
import { messageOf } from "../core/errors.ts";
import { loadEncoder } from "./encoder.ts";
import type { EncoderThreadData, EncoderThreadReply, EncoderThreadRequest } from "./threaded-encoder.ts";

const host = threadHost();
const { path, config, options } = host.data as EncoderThreadData;
const post = (reply: EncoderThreadReply) => host.post(reply);

try {
  const encoder = await loadEncoder(path, config, {
    ...options,
    onPassedOver: (passed) => post({ type: "passed over", passed }),
  });
  let last: Promise<void> = Promise.resolve();

  async function serve(request: EncoderThreadRequest): Promise<void> {
    if (request.type === "close") {
      await encoder.release();
      post({ type: "closed" });
      return;
    }
    const { id, features, states } = request;
    try {
      const encoded = await encoder.encode(features);
      try {
        states.set((await encoded.read()) as Float32Array);
        post({ type: "encoded", id, positions: encoded.dims[1]!, provider: encoder.session.provider });
      } finally {
        encoded.release();
      }
    } catch (error) {
      post({ type: "failed", id, message: messageOf(error) });
    }
  }
  host.onMessage((message) => {
    last = last.then(() => serve(message as EncoderThreadRequest));
  });
  const { flexible, lengths } = encoder;
  post({ type: "ready", provider: encoder.session.provider, flexible, lengths });
} catch (error) {
  post({ type: "refused", message: messageOf(error) });
}
