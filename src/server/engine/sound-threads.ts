import { startThread, type Thread } from "../../adapters/threads.node.ts";
import type { Core } from "../../core/core.ts";
import { createCore } from "../../core/create-core.ts";
import { type SoundReply, type SoundRequest, SoundUnsafeError } from "./messages.ts";

/** A thread that decodes one sound at a time. */
export interface SoundThread {
  post(request: SoundRequest): void;
  /** Hears of its job; an error when the thread died of it. */
  listen(listener: (reply: SoundReply | Error) => void): void;
}

/**
 * Threads that decode uploads, one each: a sound that hangs its thread, crashes it or takes too much memory takes no other
 * request along.
 */
export interface SoundThreads {
  /** Cores of the threads that live. */
  readonly cores: readonly Core[];
  /** Threads that were killed or died. */
  readonly replaced: number;
  /** A thread that is idle, or a new one. */
  take(): Promise<SoundThread>;
  /** Gives one back whose job is over. */
  put(thread: SoundThread): void;
  /** Ends one whose job is not over; resolves when it touches nothing any more. */
  kill(thread: SoundThread): Promise<void>;
  close(): Promise<void>;
}

/** The resampler's bank and blocks, and those of codecs that stage samples in the core. */
const CORE_BYTES = 8 * 1024 * 1024;
/** Megabytes of heap beyond which a thread dies rather than the process; codecs' own memories are not among them. */
const HEAP_MEGABYTES = 256;

/** Memory that each thread's core takes. */
export const SOUND_THREAD_BYTES: number = CORE_BYTES;

interface Member extends SoundThread {
  thread: Thread;
  core: Core;
  tell: (reply: SoundReply | Error) => void;
}

export function createSoundThreads(): SoundThreads {
  const members = new Set<Member>();
  const idle: Member[] = [];
  let replaced = 0;

  async function start(): Promise<Member> {
    const core = await createCore({ memoryBytes: CORE_BYTES, threads: true });
    const member: Member = {
      core,
      tell: () => {},
      post: (request) => member.thread.post(request),
      listen: (listener) => {
        member.tell = listener;
      },
      thread: startThread(
        "sound-thread",
        { core: core.share() },
        {
          message: (reply) => member.tell(reply as SoundReply),
          lost(reason) {
            replaced++;
            forget(member);
            member.tell(new SoundUnsafeError(`decoding the sound failed (${reason}); check the file`));
          },
        },
        HEAP_MEGABYTES,
      ),
    };
    members.add(member);
    return member;
  }

  function forget(member: Member): void {
    members.delete(member);
    const at = idle.indexOf(member);
    if (at >= 0) idle.splice(at, 1);
  }

  return {
    get cores() {
      return [...members].map(({ core }) => core);
    },
    get replaced() {
      return replaced;
    },
    async take() {
      return idle.pop() ?? (await start());
    },
    put(thread) {
      const member = thread as Member;
      member.tell = () => {};
      if (members.has(member)) idle.push(member);
    },
    async kill(thread) {
      const member = thread as Member;
      member.tell = () => {};
      if (!members.has(member)) return;
      replaced++;
      forget(member);
      await member.thread.terminate();
    },
    async close() {
      const all = [...members];
      await Promise.all(all.map((member) => member.thread.terminate(idle.includes(member))));
      members.clear();
      idle.length = 0;
    },
  };
}
