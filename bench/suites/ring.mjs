/** A block of samples into a ring and out of it, in one thread: what the calls cost. */
const BLOCK = 128;
const MANY = 50;
const CAPACITY = 16384;

export default {
  name: "ring",
  title: "Rings: 128 samples in and out",
  jobs({ wavepool, peers }) {
    const block = Float32Array.from({ length: BLOCK }, (_, i) => Math.sin(i));
    return [
      {
        name: "128 samples in, 128 out",
        size: BLOCK,
        unit: "ns",
        count: MANY,
        check: (last) => ({ difference: Math.abs(last - block[BLOCK - 1]), allowed: 1e-6 }),
        contenders: [
          ours(wavepool, block, "lease"),
          ours(wavepool, block, "array"),
          ...(peers ? [ringbuf(peers, block)] : []),
          plain(block),
        ],
      },
    ];
  },
};

/** With a lease for each window, or into one array, as ringbuf.js does. */
function ours({ createCore, createAnalysisBuffer, createBufferPool }, block, into) {
  return {
    name: into === "lease" ? "wavepool, analysis buffer" : "wavepool, analysis buffer, readInto",
    kind: "wavepool",
    async prepare() {
      const core = await createCore({ threads: false, memoryBytes: 2 ** 22 });
      const ring = createAnalysisBuffer(core, { name: "ring", window: BLOCK, capacity: CAPACITY });
      const source = createBufferPool(core, { name: "block", dtype: "f32", shape: BLOCK, max: 1 }).acquire();
      source.view.set(block);
      function windows() {
        let last = 0;
        for (let i = 0; i < MANY; i++) {
          ring.write(source.view);
          const window = ring.read();
          last = window.view[BLOCK - 1];
          window.release();
        }
        return last;
      }
      const out = new Float32Array(BLOCK);
      function copies() {
        for (let i = 0; i < MANY; i++) {
          ring.write(block);
          ring.readInto(out);
        }
        return out[BLOCK - 1];
      }
      return { run: into === "lease" ? windows : copies };
    },
  };
}

function ringbuf(peers, block) {
  return {
    name: "ringbuf.js",
    kind: "peer",
    async prepare() {
      const { RingBuffer } = await peers.load("ringbuf.js");
      const ring = new RingBuffer(RingBuffer.getStorageForCapacity(CAPACITY, Float32Array), Float32Array);
      const out = new Float32Array(BLOCK);
      return {
        run() {
          for (let i = 0; i < MANY; i++) {
            ring.push(block);
            ring.pop(out);
          }
          return out[BLOCK - 1];
        },
      };
    },
  };
}

/** The least that can be done: two copies. */
function plain(block) {
  return {
    name: "two copies by set",
    kind: "yardstick",
    prepare() {
      const ring = new Float32Array(CAPACITY);
      const out = new Float32Array(BLOCK);
      let at = 0;
      return {
        run() {
          for (let i = 0; i < MANY; i++) {
            ring.set(block, at);
            out.set(ring.subarray(at, at + BLOCK));
            at = (at + BLOCK) % CAPACITY;
          }
          return out[BLOCK - 1];
        },
      };
    },
  };
}
