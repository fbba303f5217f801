import { describe } from "../core/arguments.ts";
import { InvalidArgumentError } from "../core/errors.ts";

/** Suffixes of the hub's ONNX exports by the type of their weights, as transformers.js names them (utils/dtypes.js). */
const SUFFIXES = {
  q8: ["_quantized", "_int8", "_uint8"],
  fp32: [""],
  q4: ["_q4"],
  fp16: ["_fp16"],
  q4f16: ["_q4f16"],
} as const satisfies Record<string, readonly string[]>;

/** Type of a graph's weights: float32, float16, 8 bits, 4 bits with float32 or with float16 activations. */
export type ModelDtype = keyof typeof SUFFIXES;

/** Types of weights that `dtype` takes besides "auto", in the order in which "auto" takes them. */
export const MODEL_DTYPES = Object.keys(SUFFIXES) as readonly ModelDtype[];

/** Weights that are asked for: "auto" takes 8 bits first, a quarter of the size and the fastest on CPUs. */
export type DtypeChoice = ModelDtype | "auto";
/** The same for both graphs, or each its own. */
export type DtypeOption = DtypeChoice | { readonly encoder?: DtypeChoice; readonly decoder?: DtypeChoice };

/** The two graphs of a Whisper export. */
export type GraphName = "encoder" | "decoder";
/** Names of their files without suffix. */
const STEMS: Record<GraphName, string> = { encoder: "encoder_model", decoder: "decoder_model_merged" };

/** A graph's file in an export. */
export interface GraphFile {
  /** Path in the export, such as "onnx/encoder_model_quantized.onnx". */
  readonly path: string;
  readonly dtype: ModelDtype;
}

function isChoice(value: unknown): value is DtypeChoice | undefined {
  return value === undefined || value === "auto" || Object.hasOwn(SUFFIXES, String(value));
}

/**
 * Brings the option into the form of one choice for each graph.
 *
 * @throws InvalidArgumentError naming what was given.
 */
export function dtypeChoices(dtype: DtypeOption | undefined): Record<GraphName, DtypeChoice> {
  const each = typeof dtype === "object" && dtype !== null ? dtype : { encoder: dtype, decoder: dtype };
  for (const value of [each.encoder, each.decoder]) {
    if (isChoice(value)) continue;
    throw new InvalidArgumentError(`dtype is ${describe(value)}; give auto, ${MODEL_DTYPES.join(", ")}`);
  }
  return { encoder: each.encoder ?? "auto", decoder: each.decoder ?? "auto" };
}

/** Files that a choice allows for a graph, best first. */
export function graphFiles(graph: GraphName, choice: DtypeChoice): GraphFile[] {
  const dtypes = choice === "auto" ? MODEL_DTYPES : [choice];
  return dtypes.flatMap((dtype) =>
    SUFFIXES[dtype].map((suffix) => ({ path: `onnx/${STEMS[graph]}${suffix}.onnx`, dtype })),
  );
}

/** What an export without such a file lacks, in words for an error message. */
export function missingGraph(graph: GraphName, choice: DtypeChoice): string {
  const paths = graphFiles(graph, choice).map(({ path }) => path);
  if (choice !== "auto") return paths.join(" or ");
  const suffixes = paths.map((path) => path.slice(`onnx/${STEMS[graph]}`.length, -".onnx".length));
  return `onnx/${STEMS[graph]}.onnx (or ${STEMS[graph]} with ${suffixes.filter(Boolean).join(", ")})`;
}

/** Name of the n-th file, counted from 0, with weights that a graph keeps outside of itself, as the hub's exporters name them. */
export function externalDataPath(graphPath: string, n: number): string {
  return `${graphPath}_data${n === 0 ? "" : `_${n}`}`;
}
