/** Numbers from -1 to 1, the same for the same seed. */
export function seededNoise(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/** A voice of sorts at 16 kHz: harmonics of a gliding pitch under syllables, over noise. */
export function speechLike(length) {
  const noise = seededNoise(1);
  return Float32Array.from({ length }, (_, i) => {
    const t = i / 16000;
    const pitch = 2 * Math.PI * (120 * t + 8 * Math.sin(2 * t));
    let voice = 0;
    for (let h = 1; h <= 20; h++) voice += Math.sin(h * pitch) / h;
    return 0.2 * voice * Math.max(0, Math.sin(2 * Math.PI * 2.2 * t)) + 0.003 * noise();
  });
}
