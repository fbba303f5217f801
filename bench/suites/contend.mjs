/** What a thread of the contention job does on each request. */
export function contend({ attachCore, openBufferPool }, { handle, pairs, work }) {
  const pool = openBufferPool(attachCore(handle), "shared");
  let kept;
  return () => {
    let done = 0;
    while (done < pairs) {
      if (work === "new") {
        kept = new Float32Array(1024);
        done += kept.length / 1024;
        continue;
      }
      const lease = pool.tryAcquire();
      if (lease === undefined) continue;
      lease.release();
      done++;
    }
    return done;
  };
}
