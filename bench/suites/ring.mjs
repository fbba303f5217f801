/** Blocks of samples into a ring and out of it, in one thread: what the calls cost. */
import { greatestDifference } from "../harness/measure.mjs";

const BLOCK = 128;
const MANY = 50;
const CAPACITY = 16384;

export default {
  name: "ring",
  title: "Rings: 128 samples in and out",
  jobs({ wavepool, peers }) {
    const samples = Float32Array.from({ length: MANY * BLOCK }, (_, i) => Math.sin(i));
    const blocks = Array.from({ length: MANY }, (_, i) => samples.subarray(i * BLOCK, (i + 1) * BLOCK));
    return [
      {
        name: "128 samples in, 128 out",
        size: BLOCK,
        unit: "ns",
        count: MANY,
        check: (heard) => ({ difference: greatestDifference(heard, samples), allowed: 0 }),
        contenders: [
          through("wavepool, analysis buffer", "wavepool", blocks, () => leased(wavepool)),
          through("wavepool, analysis buffer, readInto", "wavepool", blocks, () => copied(wavepool)),
          ...(peers ? [through("ringbuf.js", "peer", blocks, () => ringbuf(peers))] : []),
          through("two copies by set", "yardstick", blocks, plain),
        ],
      },
    ];
  },
};

/** @param make resolves to what takes a block in and a block out, which it counts and, asked to, hands on */
function through(name, kind, blocks, make) {
  return {
    name,
    kind,
    async prepare() {
      const pass = await make();
      return {
        run() {
          let read = 0;
          for (let i = 0; i < MANY; i++) read += pass(blocks[i]);
          return read;
        },
        result() {
          const heard = new Float32Array(MANY * BLOCK);
          for (let i = 0; i < MANY; i++) pass(blocks[i], heard.subarray(i * BLOCK, (i + 1) * BLOCK));
          return heard;
        },
      };
    },
  };
}

const bufferIn = async ({ createCore, createAnalysisBuffer }) => {
  const core = await createCore({ memoryBytes: 2 ** 22 });
  return createAnalysisBuffer(core, { name: "ring", window: BLOCK, capacity: CAPACITY });
};

/** A lease for each window. */
async function leased(wavepool) {
  const ring = await bufferIn(wavepool);
  return (block, heard) => {
    ring.write(block);
    const window = ring.read();
    const { length } = window.view;
    heard?.set(window.view);
    window.release();
    return length;
  };
}

/** Into one array, as ringbuf.js does. */
async function copied(wavepool) {
  const ring = await bufferIn(wavepool);
  const out = new Float32Array(BLOCK);
  return (block, heard) => {
    ring.write(block);
    ring.readInto(out);
    heard?.set(out);
    return out.length;
  };
}

async function ringbuf(peers) {
  const { RingBuffer } = await peers.load("ringbuf.js");
  const ring = new RingBuffer(RingBuffer.getStorageForCapacity(CAPACITY, Float32Array), Float32Array);
  const out = new Float32Array(BLOCK);
  return (block, heard) => {
    ring.push(block);
    ring.pop(out);
    heard?.set(out);
    return out.length;
  };
}

/** The least that can be done: two copies. */
function plain() {
  const ring = new Float32Array(CAPACITY);
  const out = new Float32Array(BLOCK);
  let at = 0;
  return (block, heard) => {
    ring.set(block, at);
    out.set(ring.subarray(at, at + BLOCK));
    at = (at + BLOCK) % CAPACITY;
    heard?.set(out);
    return out.length;
  };
}
