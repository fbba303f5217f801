/** A thread of `wavepool bench`, which contends with its like for one pool: takes its settings first, then requests. */
import { threadHost } from "#threads";
import { type Contention, contend } from "../../bench/suites/contend.mjs";
import { attachCore } from "../core/attach-core.ts";
import { openBufferPool } from "../pools/create-buffer-pool.ts";

const host = threadHost();
const work = contend({ attachCore, openBufferPool }, host.data as Contention);
host.onMessage(() => host.post(work()));
host.post("ready");
