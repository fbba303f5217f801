/** Acquire and release beside new arrays, alone and by threads on one pool. */
const SIZES = [240_000, 960_000, 3_000_000];
/** Cycles a call: one is far below what any clock sees. */
const MANY = 100;
const FEW = 4;
const THREADS = 2;
const PAIRS = 20_000;

const one = (result) => ({ difference: result === 1 ? 0 : 1, allowed: 0 });

export default {
  name: "pools",
  title: "Pools: acquire and release beside plain allocation",
  measure: "bytes",
  jobs(context) {
    const { wavepool } = context;
    const alone = SIZES.map((bytes) => ({
      name: `${bytes / 1000} kB`,
      size: bytes,
      unit: "ns",
      count: MANY,
      quick: bytes === 960_000 ? undefined : false,
      check: one,
      contenders: [...["off", "counts"].map((statistics) => ours(wavepool, bytes, statistics)), plain(bytes)],
    }));
    return [...alone, contention(context)];
  },
};

function ours({ createCore, createBufferPool }, bytes, statistics) {
  return {
    name: `wavepool, statistics ${statistics}`,
    kind: "wavepool",
    async prepare() {
      const core = await createCore({ memoryBytes: 2 ** 25 });
      const pool = createBufferPool(core, { name: "bench", dtype: "f32", bytes, max: 2, statistics });
      return {
        run() {
          let taken = 0;
          for (let i = 0; i < MANY; i++) {
            const lease = pool.acquire();
            taken += lease.view.length;
            lease.release();
          }
          return taken === (MANY * bytes) / 4 ? 1 : 0;
        },
      };
    },
  };
}

function plain(bytes) {
  return {
    name: "new Float32Array",
    kind: "yardstick",
    // Fewer arrays a call than cycles of ours: they take a thousand times as long.
    count: FEW,
    prepare: () => {
      let kept;
      const run = () => {
        let taken = 0;
        for (let i = 0; i < FEW; i++) {
          kept = new Float32Array(bytes / 4);
          taken += kept.length;
        }
        return taken === (FEW * bytes) / 4 ? 1 : 0;
      };
      return { run };
    },
  };
}

/** Threads on one pool, or each with arrays of its own; a pair is one acquire and its release. */
function contention({ wavepool, startThread }) {
  const by = (name, kind, work) => ({
    name,
    kind,
    lacks: startThread ? undefined : "threads need a page that is cross-origin isolated",
    async prepare() {
      const core = await wavepool.createCore({ threads: true, memoryBytes: 2 ** 24 });
      wavepool.createBufferPool(core, { name: "shared", dtype: "f32", bytes: 4096, max: 16 });
      const threads = await Promise.all(
        Array.from({ length: THREADS }, () => startThread({ handle: core.share(), pairs: PAIRS, work })),
      );
      const run = async () => {
        const done = await Promise.all(threads.map((thread) => thread.ask("go")));
        return done.every((pairs) => pairs === PAIRS) ? 1 : 0;
      };
      return {
        run,
        asynchronous: true,
        elsewhere: true,
        close: () => Promise.all(threads.map((thread) => thread.end())),
      };
    },
  });
  return {
    name: `${THREADS} threads, 4 kB, a pair`,
    unit: "ns",
    count: THREADS * PAIRS,
    check: one,
    contenders: [
      by("wavepool, one shared pool", "wavepool", "pool"),
      by("new Float32Array", "yardstick", "new"),
    ],
  };
}
