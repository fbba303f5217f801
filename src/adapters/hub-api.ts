/**
 * What is used of the hub's own client. It is imported when the hub is asked, not before; the browser build puts it
 * into a chunk of its own (scripts/build.mjs).
 */
export { listFiles, modelInfo } from "@huggingface/hub";
