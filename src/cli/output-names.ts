import { basename, dirname, extname, resolve } from "node:path";
import type { OutputFormat } from "../output/formats.ts";
import { STDIN } from "./read-sound.ts";

/** Endings of the files that each format is written to. */
export const ENDINGS: Readonly<Record<OutputFormat, string>> = {
  text: ".txt",
  srt: ".srt",
  vtt: ".vtt",
  tsv: ".tsv",
  json: ".json",
  verbose_json: ".verbose.json",
};

/** The format that a file's ending asks for, if it does. */
export function formatOfEnding(path: string): OutputFormat | undefined {
  const name = basename(path).toLowerCase();
  const formats = Object.keys(ENDINGS) as OutputFormat[];
  return formats.reverse().find((format) => name.endsWith(ENDINGS[format]));
}

/**
 * Names for the outputs of sound files, without ending: each file's own where no other has it, else with its
 * ending, else with the folders it lies in, else with a number. Names that differ in case alone count as
 * equal, since some disks hold them so.
 */
export function outputNames(files: readonly string[]): string[] {
  const names: string[] = new Array(files.length).fill("");
  const taken = new Set<string>();
  const free = (name: string) => !taken.has(name.toLowerCase());
  let left = files.map((_, i) => i);
  for (let level = 0; left.length > 0; level++) {
    const wanted = new Map<string, number[]>();
    for (const i of left) {
      const name = nameAt(files[i]!, level).toLowerCase();
      wanted.set(name, [...(wanted.get(name) ?? []), i]);
    }
    const still: number[] = [];
    for (const [name, group] of wanted) {
      const [one] = group;
      if (group.length === 1 && free(name)) {
        names[one!] = nameAt(files[one!]!, level);
        taken.add(name);
      } else if (group.every((i) => nameAt(files[i]!, level) === nameAt(files[i]!, level + 1)) && level > 0) {
        for (const i of group) {
          let name = nameAt(files[i]!, level);
          for (let n = 2; !free(name); n++) name = `${nameAt(files[i]!, level)}-${n}`;
          names[i] = name;
          taken.add(name.toLowerCase());
        }
      } else {
        still.push(...group);
      }
    }
    left = still;
  }
  return names;
}

/** The stem, then the whole name, then with one more folder each. */
function nameAt(file: string, level: number): string {
  if (file === STDIN) return "stdin";
  const name = basename(file);
  if (level === 0) return basename(file, extname(file));
  const folders: string[] = [];
  for (let at = dirname(resolve(file)); folders.length < level - 1 && dirname(at) !== at; at = dirname(at)) {
    folders.unshift(basename(at));
  }
  return [...folders, name].join("-");
}
