/** A thread of the contention job in a page: takes its settings first, then requests. */
import * as wavepool from "wavepool";
import { contend } from "../suites/contend.mjs";

let work;
addEventListener("message", ({ data }) => {
  if (work) return postMessage(work());
  work = contend(wavepool, data);
  postMessage("ready");
});
