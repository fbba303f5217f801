import { adapter } from "#adapter";
import { ModelFormatError } from "../core/errors.ts";
import { editing, type OnnxGraph, readModel } from "./graph/onnx.ts";
import { type ExternalPlace, readTensor } from "./graph/tensors.ts";
import type { ReadExternal } from "./graph/unpack-weights.ts";
import type { ExternalFile, GraphBytes } from "./session.ts";

/** Where a graph is read from. */
export interface GraphFiles {
  /** The graph, where it was read or edited before, or what reads it; by default the file under `path`. */
  readonly bytes?: Uint8Array | (() => Promise<Uint8Array>) | undefined;
  /** Paths or URLs of the files that it keeps weights in, those beside big exports; default none. */
  readonly externalData?: readonly string[] | undefined;
}

/**
 * Reads a graph and the files with its weights.
 *
 * @throws FileError when one of them cannot be read.
 * @throws ModelFormatError when it is no ONNX model, or a file that it keeps weights in is not among them or too short.
 */
export async function readGraphFiles(path: string, files: GraphFiles): Promise<GraphBytes> {
  const { bytes: given = () => adapter.readFile(path), externalData: paths = [] } = files;
  const bytes = typeof given === "function" ? await given() : given;
  const needed = bytesNeeded(path, bytes);
  const externalData: ExternalFile[] = [];
  for (const [location, length] of needed) {
    const file = paths.find((one) => fileName(one) === location);
    if (file === undefined) {
      throw new ModelFormatError(
        `${path} keeps weights in ${location}, which is not beside it; fetch the model again`,
      );
    }
    const data = await adapter.readFile(file);
    if (data.length < length) {
      throw new ModelFormatError(
        `${file} has ${data.length} bytes of the ${length} that ${path} needs; fetch the model again`,
      );
    }
    externalData.push({ path: location, data });
  }
  return { bytes, externalData };
}

/** Reads a weight out of a graph's files; there must be such a file. */
export function externalReader(externalData: readonly ExternalFile[] = []): ReadExternal {
  return ({ location, offset, length }) => {
    const file = externalData.find(({ path }) => path === plain(location));
    if (!file) throw new RangeError(`weights in ${location} are not there`);
    return file.data.subarray(offset, length === undefined ? undefined : offset + length);
  };
}

/** Bytes that each file must have, by the graph's name for it. */
function bytesNeeded(path: string, bytes: Uint8Array): Map<string, number> {
  const needed = new Map<string, number>();
  const visit = (graph: OnnxGraph) => {
    for (const weight of graph.weights.values()) {
      const external = readTensor(weight)?.external;
      if (external) note(external);
    }
    for (const { branches } of graph.nodes) for (const branch of branches.values()) visit(branch);
  };
  const note = ({ location, offset, length = 0 }: ExternalPlace) => {
    const name = plain(location);
    needed.set(name, Math.max(needed.get(name) ?? 0, offset + length));
  };
  editing(path, () => visit(readModel(bytes).graph));
  return needed;
}

/** Writers may put "./" before the name. */
function plain(location: string): string {
  return location.replace(/^\.\//, "");
}

function fileName(path: string): string {
  return path
    .replace(/[?#].*$/, "")
    .split(/[\\/]/)
    .at(-1)!;
}
