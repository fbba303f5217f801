"""Writes oracle.json: features by the libraries the references in this folder are written after, in float64.

Needs numpy, torch 2, librosa 0.11, transformers 5, and the path of torchaudio's compliance/kaldi.py (0.13 or
later). NeMo, speechbrain and FunASR are not imported: what they do is said here in calls to torch and numpy.
Of each case a few values are kept, with the sum and the sum of squares of all.
    python3 test/reference/oracle.py path/to/torchaudio/compliance/kaldi.py > test/reference/oracle.json
"""

import importlib.util
import json
import sys
import types

import librosa
import numpy as np
import torch
import transformers

sys.modules.setdefault("torchaudio", types.ModuleType("torchaudio"))  # kaldi.py wants it for MFCC alone
spec = importlib.util.spec_from_file_location("kaldi", sys.argv[1])
kaldi = importlib.util.module_from_spec(spec)
spec.loader.exec_module(kaldi)

torch.set_default_dtype(torch.float64)  # else kaldi.py makes its filter banks in float32


def mulberry32(seed):
    state = seed
    while True:
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        t = ((state ^ (state >> 15)) * (1 | state)) & 0xFFFFFFFF
        t = ((t + (((t ^ (t >> 7)) * (61 | t)) & 0xFFFFFFFF)) & 0xFFFFFFFF) ^ t
        yield (t ^ (t >> 14)) / 2**31 - 1


def signal(length):
    """Noise in steps of loudness, off centre at first, with a silence: oracleSignal of reference.test.ts."""
    noise = mulberry32(7)
    out = np.zeros(length, np.float32)
    for i in range(length):
        value = next(noise)
        step = i // 600
        out[i] = 0 if step == 3 or step == 4 else value * 2.0 ** -(step % 5 * 3) + (0.125 if i < 2000 else 0)
    return out.astype(np.float64)


def fbank(x, scale=1, **options):
    return kaldi.fbank(torch.from_numpy(x * scale).unsqueeze(0), **options).numpy()


def stft_power(x, n_fft, win, hop, window, pad_mode):
    spectrum = torch.stft(
        torch.from_numpy(x), n_fft, hop, win, window, center=True, pad_mode=pad_mode, return_complex=True
    )
    return spectrum.abs() ** 2


def nemo(x, mels, pad_mode="constant", offset=0, normalize=True):
    emphasised = np.concatenate([x[:1], x[1:] - 0.97 * x[:-1]])
    power = stft_power(emphasised, 512, 400, 160, torch.hann_window(400, periodic=False), pad_mode)
    bank = librosa.filters.mel(sr=16000, n_fft=512, n_mels=mels, norm="slaney", dtype=np.float64)
    log = torch.log(torch.from_numpy(bank) @ power + 2**-24)
    valid = len(x) // 160 + offset
    if normalize:
        log = (log - log[:, :valid].mean(1, keepdim=True)) / (log[:, :valid].std(1, keepdim=True) + 1e-5)
    log[:, valid:] = 0
    return log.numpy()


def speechbrain(x, n_mels=80, mean_norm=True):
    power = stft_power(x, 400, 400, 160, torch.hamming_window(400), "constant").T
    mel = torch.linspace(0, 2595 * np.log10(1 + 8000 / 700), n_mels + 2)
    hz = 700 * (10 ** (mel / 2595) - 1)
    band = (hz[1:] - hz[:-1])[:-1].unsqueeze(1)
    slope = (torch.linspace(0, 8000, 201).repeat(n_mels, 1) - hz[1:-1].unsqueeze(1)) / band
    bank = torch.clamp(torch.minimum(slope + 1, 1 - slope), min=0)
    db = 10 * torch.log10(torch.clamp(power @ bank.T, min=1e-10))
    db = torch.maximum(db, db.max() - 80)
    return (db - db.mean(0) if mean_norm else db).numpy()


def lfr(x, m, n):
    padded = np.concatenate([np.repeat(x[:1], (m - 1) // 2, 0), x])
    rows = []
    for i in range(-(-len(x) // n)):
        row = padded[i * n : i * n + m]
        rows.append(np.concatenate([row, np.repeat(padded[-1:], m - len(row), 0)]).reshape(-1))
    return np.stack(rows)


def funasr(x, cmvn=True):
    out = lfr(fbank(x, 32768, num_mel_bins=80, window_type="hamming", energy_floor=0.0), 7, 6)
    if not cmvn:
        return out
    noise = mulberry32(3)
    shift = np.array([round(-12 + 4 * next(noise), 6) for _ in range(560)])
    scale = np.array([round(0.2 + 0.1 * next(noise), 6) for _ in range(560)])
    return (out + shift) * scale


def seamless(x):
    out = fbank(x, 32768, num_mel_bins=80)
    out = (out - out.mean(0)) / np.sqrt(out.var(0, ddof=1) + 1e-7)
    return np.concatenate([out, np.zeros((len(out) % 2, 80))]).reshape(-1, 160)


def mel(x, **options):
    return librosa.feature.melspectrogram(y=x, dtype=np.float64, **options)


x = signal(5000)
long = signal(9001)
db = librosa.power_to_db
povey = {"num_mel_bins": 80, "window_type": "povey"}
energy = {"num_mel_bins": 40, "window_type": "hamming", "use_energy": True}
linear = {"window_type": "rectangular", "use_power": False, "use_log_fbank": False}
bare = {"preemphasis_coefficient": 0.0, "remove_dc_offset": False, "round_to_power_of_two": False}
small = {"sr": 16000, "n_fft": 512, "hop_length": 160, "win_length": 400, "n_mels": 64}
whole = {"sr": 16000, "n_fft": 400, "hop_length": 160, "n_mels": 40}
cases = {
    "kaldi": fbank(x),
    "kaldi 80 times 32768": fbank(x, 32768, **povey),
    "kaldi 80 mirrored": fbank(x, **povey, snip_edges=False),
    "kaldi shift over length": fbank(x, frame_length=20.0, frame_shift=24.0, snip_edges=False),
    "kaldi energy last": fbank(x, **energy, htk_compat=True, raw_energy=False, energy_floor=0.0),
    "kaldi energy first": fbank(x, use_energy=True, window_type="hanning", subtract_mean=True),
    "kaldi magnitudes": fbank(x, **linear, low_freq=64.0, high_freq=-400.0),
    "kaldi bare": fbank(x, **bare, window_type="blackman", high_freq=7000.0),
    "kaldi 8 kHz": fbank(x, sample_frequency=8000.0, num_mel_bins=40),
    "lfr": funasr(long),
    "lfr without cmvn": funasr(long, False),
    "nemo 80": nemo(x, 80),
    "nemo 128": nemo(long, 128),
    "nemo 80 reflected": nemo(x, 80, "reflect", 1),
    "nemo 80 not normalised": nemo(x, 80, normalize=False),
    "librosa": mel(long),
    "librosa short window": mel(x, **small, window="hamming", pad_mode="reflect", fmin=20.0, fmax=7600.0),
    "librosa htk": mel(x, **whole, htk=True, norm=None, power=1.0),
    "librosa not centred": mel(x, **whole, center=False, norm=np.inf, window="blackman"),
    "librosa edge": mel(x, sr=16000, n_fft=1023, hop_length=200, n_mels=30, pad_mode="edge", norm=1),
    "librosa dB": db(mel(long, sr=16000)),
    "librosa dB of max": db(mel(x, **whole), ref=np.max, top_db=30, amin=1e-7),
    "librosa mfcc": librosa.feature.mfcc(y=long, dtype=np.float64),
    "librosa mfcc 13": librosa.feature.mfcc(y=x, n_mfcc=13, dtype=np.float64, **small),
    "speechbrain": speechbrain(x),
    "speechbrain 40": speechbrain(x, 40, False),
    "seamless": seamless(x),
    "wav2vec2": transformers.Wav2Vec2FeatureExtractor.zero_mean_unit_var_norm([x], None)[0][None],
}


def kept(values):
    flat = values.reshape(-1)
    step = next(p for p in (7, 11, 17, 23, 37, 59, 101, 151) if flat.size / p < 60 or p == 151)
    return {
        "shape": list(values.shape),
        "sum": float(flat.sum()),
        "squares": float((flat**2).sum()),
        "step": step,
        "values": [float(f"{value:.12g}") for value in flat[::step]],
    }


versions = {module.__name__: module.__version__ for module in (np, torch, librosa, transformers)}
lines = [f"  {json.dumps(name)}: {json.dumps(kept(values))}" for name, values in cases.items()]
print("{\n" + f'  "versions": {json.dumps(versions)},\n' + ",\n".join(lines) + "\n}")
