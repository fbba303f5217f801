/**
 * Whisper's log-mel spectrogram on FFTW 3 in single precision: the native program that bench/mel holds wavepool against.
 *
 * The job of openai/whisper `log_mel_spectrogram`: centred frames of 400 samples with reflected edges, hop 160,
 * periodic Hann, power, Slaney mels, log10 clamped at 1e-10, floored at the maximum less 8, (x + 4) / 4, the
 * last frame dropped, [mels x frames] mel-major. One thread.
 *
 *     g++ -O3 -march=native fftw-mel.cpp -o fftw-mel -lfftw3f
 *     echo "percentiles 80 480000 200" | ./fftw-mel samples.f32
 *
 * The file holds raw float32 samples at 16 kHz. Each line of standard input is answered by one of output:
 *
 *     time <mels> <samples> <calls>          mean milliseconds of a call
 *     percentiles <mels> <samples> <calls>   milliseconds of single calls: p10, median, p90
 *     write <mels> <samples> <file>          number of features, written to the file as raw float32
 */
#include <fftw3.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace {

constexpr int FRAME = 400, HOP = 160, HALF = FRAME / 2, BINS = FRAME / 2 + 1;
/** Frames that go through all stages together: their 160 kB stay in the second-level cache. The fastest of 8 to 75. */
constexpr int BLOCK = 40;

struct Filter {
  int first;
  std::vector<float> weights;
};
using MelBank = std::vector<Filter>;

/** Slaney's scale, as in librosa.filters.mel: linear to 1 kHz, then 27 mels for each factor of 6.4. */
double melToHz(double mel) {
  return mel < 15 ? mel * 200 / 3 : 1000 * std::exp(std::log(6.4) / 27 * (mel - 15));
}

MelBank melBank(int mels) {
  const double top = 15 + std::log(8.0) * 27 / std::log(6.4);
  auto corner = [&](int i) { return melToHz(top * i / (mels + 1)); };
  MelBank bank(mels);
  for (int m = 0; m < mels; m++) {
    const double lower = corner(m), centre = corner(m + 1), upper = corner(m + 2);
    bank[m].first = 0;
    for (int bin = 0; bin < BINS; bin++) {
      const double hz = bin * 40.0;
      const double height = std::min((hz - lower) / (centre - lower), (upper - hz) / (upper - centre));
      if (height <= 0) continue;
      if (bank[m].weights.empty()) bank[m].first = bin;
      bank[m].weights.push_back(float(height * 2 / (upper - lower)));
    }
  }
  return bank;
}

/** log10 of a normal number: its exponent, and ln of its mantissa by the polynomial of Cephes logf (Moshier 1989). */
inline float fastLog10(float x) {
  int32_t bits;
  std::memcpy(&bits, &x, 4);
  const int32_t exponent = (bits - 0x3f3504f3) >> 23;
  bits -= exponent << 23;
  float mantissa;
  std::memcpy(&mantissa, &bits, 4);
  const float r = mantissa - 1;
  float p = 7.0376836292e-2f;
  p = p * r - 1.151461031e-1f;
  p = p * r + 1.167699874e-1f;
  p = p * r - 1.2420140846e-1f;
  p = p * r + 1.4249322787e-1f;
  p = p * r - 1.6668057665e-1f;
  p = p * r + 2.0000714765e-1f;
  p = p * r - 2.4999993993e-1f;
  p = p * r + 3.3333331174e-1f;
  const float ln = r * r * (p * r - 0.5f) + r;
  return ln * 0.4342944819f + float(exponent) * 0.3010299957f;
}

double milliseconds(std::chrono::steady_clock::time_point from) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - from).count();
}

/** Tables and buffers of one block, and FFTW's plan for it. */
struct Block {
  float window[FRAME];
  float *frames = fftwf_alloc_real(BLOCK * FRAME);
  /** [bin][frame], so that what follows runs over frames side by side. */
  float *spectra = fftwf_alloc_real(2 * BINS * BLOCK);
  float *power = fftwf_alloc_real(BINS * BLOCK);
  fftwf_plan plan;

  Block() {
    for (int n = 0; n < FRAME; n++) window[n] = float(0.5 - 0.5 * std::cos(2 * M_PI * n / FRAME));
    plan = fastestPlan();
  }

  /** FFTW measures single plans; what it settles on differs by a tenth from start to start, so the best of some. */
  fftwf_plan fastestPlan() {
    const int length = FRAME;
    fftwf_plan best = nullptr;
    double bestTime = 0;
    for (int attempt = 0; attempt < 8; attempt++) {
      fftwf_forget_wisdom();
      fftwf_plan candidate =
          fftwf_plan_many_dft_r2c(1, &length, BLOCK, frames, nullptr, 1, FRAME,
                                  reinterpret_cast<fftwf_complex *>(spectra), nullptr, BLOCK, 1, FFTW_MEASURE);
      std::fill_n(frames, BLOCK * FRAME, 0.5f);
      double time = HUGE_VAL;
      for (int round = 0; round < 20; round++) {
        const auto start = std::chrono::steady_clock::now();
        for (int i = 0; i < 20; i++) fftwf_execute(candidate);
        time = std::min(time, milliseconds(start));
      }
      if (best == nullptr || time < bestTime) {
        std::swap(best, candidate);
        bestTime = time;
      }
      if (candidate != nullptr) fftwf_destroy_plan(candidate);
    }
    return best;
  }

  /** Power spectra of the frames at `samples`, `samples` + 160, ... */
  void transform(const float *samples) {
    for (int b = 0; b < BLOCK; b++) {
      for (int n = 0; n < FRAME; n++) frames[b * FRAME + n] = samples[b * HOP + n] * window[n];
    }
    fftwf_execute(plan);
    for (int i = 0; i < BINS * BLOCK; i++) {
      const float re = spectra[2 * i], im = spectra[2 * i + 1];
      power[i] = re * re + im * im;
    }
  }
};

/**
 * Features of the `count` samples that begin 200 floats into `clip`, to `out`. Around them are places for the
 * reflected edges, and behind them zeros for a last block that is not full.
 */
void logMel(Block &block, const MelBank &bank, float *clip, int count, float *out) {
  float *samples = clip + HALF;
  for (int i = 1; i <= HALF; i++) samples[-i] = samples[i];
  for (int i = 0; i < HALF; i++) samples[count + i] = samples[count - 2 - i];

  const int total = count / HOP;
  const int mels = int(bank.size());
  float greatest[BLOCK];
  std::fill_n(greatest, BLOCK, 1e-10f);
  for (int frame = 0; frame < total; frame += BLOCK) {
    const int lanes = std::min(BLOCK, total - frame);
    block.transform(clip + frame * HOP);
    for (int m = 0; m < mels; m++) {
      float sum[BLOCK] = {};
      const float *power = block.power + bank[m].first * BLOCK;
      for (const float weight : bank[m].weights) {
        for (int b = 0; b < BLOCK; b++) sum[b] += weight * power[b];
        power += BLOCK;
      }
      for (int b = 0; b < BLOCK; b++) sum[b] = sum[b] > 1e-10f ? sum[b] : 1e-10f;
      // Over `lanes`: g++ unrolls loops of a constant length before it would vectorise them.
      for (int b = 0; b < lanes; b++) greatest[b] = sum[b] > greatest[b] ? sum[b] : greatest[b];
      float *row = out + m * total + frame;
      for (int b = 0; b < lanes; b++) row[b] = fastLog10(sum[b]) * 0.25f + 1;
    }
  }
  const float peak = *std::max_element(greatest, greatest + BLOCK);
  const float floor = (std::log10(peak) - 8) * 0.25f + 1;
  for (int i = 0; i < mels * total; i++) out[i] = out[i] > floor ? out[i] : floor;
}

std::vector<float> readFloats(const char *path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fftw-mel <file of float32 samples>, then commands on standard input\n");
    return 2;
  }
  const std::vector<float> samples = readFloats(argv[1]);
  Block block;
  const MelBank bank80 = melBank(80), bank128 = melBank(128);

  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string command, last;
    int mels = 0, count = 0;
    words >> command >> mels >> count >> last;
    const int calls = std::atoi(last.c_str());
    const bool writing = command == "write";
    if ((mels != 80 && mels != 128) || count <= HALF || count > int(samples.size()) || (!writing && calls < 1)) {
      std::printf("refused: %s\n", line.c_str());
      std::fflush(stdout);
      continue;
    }
    const MelBank &bank = mels == 80 ? bank80 : bank128;
    std::vector<float> clip(HALF + count + FRAME + BLOCK * HOP);
    std::copy_n(samples.begin(), count, clip.begin() + HALF);
    std::vector<float> out(size_t(mels) * (count / HOP));
    auto call = [&] { logMel(block, bank, clip.data(), count, out.data()); };
    if (writing) {
      call();
      std::ofstream(last, std::ios::binary).write(reinterpret_cast<char *>(out.data()), out.size() * sizeof(float));
      std::printf("%zu\n", out.size());
    } else if (command == "time") {
      call();  // the clip was copied just now: as for its peers, caches are warm
      const auto start = std::chrono::steady_clock::now();
      for (int i = 0; i < calls; i++) call();
      std::printf("%.6f\n", milliseconds(start) / calls);
    } else if (command == "percentiles") {
      std::vector<double> times(calls);
      for (double &time : times) {
        const auto start = std::chrono::steady_clock::now();
        call();
        time = milliseconds(start);
      }
      std::sort(times.begin(), times.end());
      std::printf("%.4f %.4f %.4f\n", times[calls / 10], times[calls / 2], times[calls * 9 / 10]);
    } else {
      std::printf("refused: %s\n", line.c_str());
    }
    std::fflush(stdout);
  }
}
