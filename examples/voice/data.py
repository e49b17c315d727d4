"""Synthetic vowels and their log-mel features, generated with a source and a filter as in Klatt (1980).

    pulses at the speaker's pitch → falling spectrum → three formants → noise → log-mel features

Shapes: R rows, N samples, T frames, M mels, Q frequencies, V vowels.
"""

# ruff: noqa: N803, N806 (names of arrays carry the letters of their shape)

from typing import Any, Final

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

SAMPLE_HERTZ: Final = 8000
SAMPLES: Final = 3200
VOWELS: Final = ("a", "e", "i", "o", "u")
FORMANTS_HERTZ: Final = np.array(  # Peterson and Barney (1952), means of men, women, children; of "a" as in "father",
    [  # "e" as in "bed", "i" as in "see", "o" as in "law", "u" as in "boot"
        [[730, 1090, 2440], [530, 1840, 2480], [270, 2290, 3010], [570, 840, 2410], [300, 870, 2240]],
        [[850, 1220, 2810], [610, 2330, 2990], [310, 2790, 3310], [590, 920, 2710], [370, 950, 2670]],
        [[1030, 1370, 3170], [690, 2610, 3570], [370, 3200, 3730], [680, 1060, 3180], [430, 1170, 3260]],
    ]
)
PITCH_HERTZ: Final = np.array([130.0, 220.0, 265.0])
"""Pitch of men, women and children, close to the means of that paper."""
BANDWIDTHS_HERTZ: Final = np.array([80.0, 100.0, 140.0])
FRAME_SAMPLES, HOP_SAMPLES, FFT_SAMPLES, MELS = 200, 80, 256, 24


def load(rows: int = 1000, seed: int = 0) -> dict[str, Any]:
    """Returns features FP32 (rows, 24 mels, 38 frames), the natural logarithm of power, and target int64 (rows,), the
    vowel. Every row has its own speaker.
    """
    if not 50 <= rows <= 10_000:
        raise ValueError(f"rows is {rows}; allowed: 50 to 10000")
    random = np.random.default_rng(seed)
    vowel_R, kind_R = random.integers(len(VOWELS), size=rows), random.integers(len(PITCH_HERTZ), size=rows)
    tract_R1 = random.normal(1, 0.05, (rows, 1))  # a longer vocal tract lowers all formants alike
    formants_R3 = FORMANTS_HERTZ[kind_R, vowel_R] * tract_R1 * random.normal(1, 0.05, (rows, 3))
    pitch_R = PITCH_HERTZ[kind_R] * random.normal(1, 0.12, rows).clip(0.7, 1.3)
    voice_RN = _filtered(_pulses(pitch_R, random), formants_R3)
    return {
        "features": log_mel(_recorded(voice_RN, random)).astype(np.float32),
        "target": vowel_R.astype(np.int64),
        "classes": VOWELS,
    }


def log_mel(sound_RN: Array) -> Array:
    """Returns (R, M, T): 25 ms Hann windows every 10 ms, power spectrum, triangles on the mel scale, logarithm."""
    frames_RTN = np.lib.stride_tricks.sliding_window_view(sound_RN, FRAME_SAMPLES, axis=1)[:, ::HOP_SAMPLES]
    spectrum_RTQ = np.fft.rfft(frames_RTN * np.hanning(FRAME_SAMPLES), FFT_SAMPLES)
    power_RTM = np.abs(spectrum_RTQ) ** 2 @ _mel_filters().T
    return np.log(power_RTM + 1e-6).transpose(0, 2, 1)


def _mel_filters() -> Array:
    """(M, Q): triangles with corners evenly spaced on HTK's mel scale, 2595 log10(1 + f / 700), up to half the rate."""
    highest_mel = 2595 * np.log10(1 + SAMPLE_HERTZ / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, highest_mel, MELS + 2) / 2595) - 1)
    low_M1, middle_M1, high_M1 = (corners[at : at + MELS, np.newaxis] for at in range(3))
    hertz_Q = np.fft.rfftfreq(FFT_SAMPLES, 1 / SAMPLE_HERTZ)
    rising_MQ, falling_MQ = (hertz_Q - low_M1) / (middle_M1 - low_M1), (high_M1 - hertz_Q) / (high_M1 - middle_M1)
    return np.minimum(rising_MQ, falling_MQ).clip(min=0)


def _pulses(pitch_R: Array, random: np.random.Generator) -> Array:
    """(R, N): a pulse for each opening of the vocal folds. The pitch glides, and trembles a little."""
    time_N = np.arange(SAMPLES) / SAMPLE_HERTZ
    glide_R1, tremble_R1 = random.normal(0, 0.3, (len(pitch_R), 1)), random.uniform(0, 2 * np.pi, (len(pitch_R), 1))
    change_RN = 1 + glide_R1 * (time_N - time_N.mean()) + 0.01 * np.sin(2 * np.pi * 5.5 * time_N + tremble_R1)
    turns_RN = np.cumsum(pitch_R[:, np.newaxis] * change_RN / SAMPLE_HERTZ, axis=1)
    pulses_RN: Array = np.diff(np.floor(turns_RN), axis=1, prepend=0.0)
    return pulses_RN


def _filtered(pulses_RN: Array, formants_R3: Array) -> Array:
    """(R, N): the pulses after glottis and lips (together 6 dB less per octave) and a resonator for each formant."""
    turn_Q = np.exp(-2j * np.pi * np.fft.rfftfreq(2 * SAMPLES))
    answer_RQ = np.repeat((1 - 0.95) / (1 - 0.95 * turn_Q[np.newaxis]), len(pulses_RN), axis=0)
    for formant_R, bandwidth in zip(formants_R3.T, BANDWIDTHS_HERTZ, strict=True):
        radius = np.exp(-np.pi * bandwidth / SAMPLE_HERTZ)
        back_R1 = 2 * radius * np.cos(2 * np.pi * formant_R / SAMPLE_HERTZ)[:, np.newaxis]
        answer_RQ *= (1 - back_R1 + radius**2) / (1 - back_R1 * turn_Q + radius**2 * turn_Q**2)
    spoken_RN: Array = np.fft.irfft(np.fft.rfft(pulses_RN, 2 * SAMPLES) * answer_RQ)[:, :SAMPLES]
    return spoken_RN


def _recorded(voice_RN: Array, random: np.random.Generator) -> Array:
    """(R, N): the voice with its own fading, loudness and noise, up to 20 dB below the voice."""
    rows = len(voice_RN)
    time_N = np.linspace(0, 1, SAMPLES)
    start_R1, end_R1 = random.uniform(0, 0.3, (rows, 1)), random.uniform(0.7, 1, (rows, 1))
    fade_RN = (20 * np.minimum(time_N - start_R1, end_R1 - time_N)).clip(0, 1)
    level_R1 = np.sqrt((voice_RN**2).mean(axis=1, keepdims=True))
    noise_R1 = 10 ** (-random.uniform(0, 20, (rows, 1)) / 20)
    loudness_R1 = 10 ** (random.uniform(-10, 10, (rows, 1)) / 20)
    noise_RN = noise_R1 * random.normal(size=voice_RN.shape)
    recorded_RN: Array = loudness_R1 * (fade_RN * voice_RN / level_R1 + noise_RN)
    return recorded_RN
