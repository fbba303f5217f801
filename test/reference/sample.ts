import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Path of the clip of speech that comes with the repository, and the words in it. */
export const SAMPLE = fileURLToPath(new URL("../../samples/hello.wav", import.meta.url));
export const WORDS = readFileSync(new URL("../../samples/hello.txt", import.meta.url), "utf8").trim();
