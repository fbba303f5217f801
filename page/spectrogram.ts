/** Draws features as they come, a column a frame, low tones below. */
export interface SpectrogramView {
  /** Columns that have come since the last look, at most as many as the picture is wide. */
  draw(frames: Float32Array, capacity: number, written: number): void;
  clear(): void;
}

/** Stops of matplotlib's "magma": dark to light in even steps, for eyes with and without full colour vision. */
const STOPS = [
  0x000004, 0x180f3e, 0x451077, 0x721f81, 0x9f2f7f, 0xcd4071, 0xf1605d, 0xfd9567, 0xfec98d, 0xfcfdbf,
];

/** 256 colours as the canvas takes them: bytes R, G, B, A. */
function palette(): Uint8ClampedArray {
  const colours = new Uint8ClampedArray(256 * 4);
  for (let i = 0; i < 256; i++) {
    const at = (i / 255) * (STOPS.length - 1);
    const low = Math.min(STOPS.length - 2, Math.floor(at));
    for (let channel = 0; channel < 3; channel++) {
      const shift = 16 - 8 * channel;
      const [a, b] = [(STOPS[low]! >> shift) & 255, (STOPS[low + 1]! >> shift) & 255];
      colours[4 * i + channel] = a + (b - a) * (at - low);
    }
    colours[4 * i + 3] = 255;
  }
  return colours;
}

/** Values of Whisper's log-mel lie between -1 and 1.5 or so. */
const LOWEST = -1;
const HIGHEST = 1.5;

/**
 * Makes the picture over a canvas. Frames are read where they lie, in a ring of `capacity` frames of `bins` values; nothing is
 * allocated for a frame.
 */
export function createSpectrogram(canvas: HTMLCanvasElement, bins: number): SpectrogramView {
  canvas.height = bins;
  const context = canvas.getContext("2d", { alpha: false })!;
  const colours = palette();
  const column = context.createImageData(1, bins);
  let drawn = 0;
  return {
    draw(frames, capacity, written) {
      const fresh = Math.min(written - drawn, capacity, canvas.width);
      if (fresh <= 0) return;
      const { width, height } = canvas;
      context.drawImage(canvas, fresh, 0, width - fresh, height, 0, 0, width - fresh, height);
      for (let i = 0; i < fresh; i++) {
        const frame = ((written - fresh + i) % capacity) * bins;
        for (let bin = 0; bin < bins; bin++) {
          const value = (frames[frame + bin]! - LOWEST) / (HIGHEST - LOWEST);
          const colour = 4 * Math.max(0, Math.min(255, Math.round(255 * value)));
          const pixel = 4 * (bins - 1 - bin);
          for (let channel = 0; channel < 4; channel++) {
            column.data[pixel + channel] = colours[colour + channel]!;
          }
        }
        context.putImageData(column, width - fresh + i, 0);
      }
      drawn = written;
    },
    clear() {
      drawn = 0;
      context.clearRect(0, 0, canvas.width, canvas.height);
    },
  };
}
