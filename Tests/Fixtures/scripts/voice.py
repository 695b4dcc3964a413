"""Makes Tests/Fixtures/voice: two seconds with artificial syllables, and how likely silero-vad finds speech in each window.

speech.wav has pulses of a glottis through three resonances each (vowels), noise around them, 16 bits at 16 kHz.
probabilities.json has what the package's own model answers with ONNX Runtime, called as its OnnxWrapper calls it: windows of
512 samples behind the 64 before them, the state given back at each call.

Use: python voice.py silero_vad.onnx    (of the package silero-vad 6.2.3, MIT)
"""

import json
import math
import sys
import wave
from pathlib import Path

import numpy as np
import onnxruntime

FOLDER = Path(__file__).resolve().parents[1] / "voice"
RATE, WINDOW, CONTEXT = 16000, 512, 64
A = ((730, 80), (1090, 90), (2440, 120))
I = ((270, 60), (2290, 100), (3010, 120))
U = ((300, 60), (870, 90), (2240, 120))


def resonate(signal: list[float], frequency: float, width: float) -> list[float]:
    """A resonance of two poles."""
    radius = math.exp(-math.pi * width / RATE)
    one, two = 2 * radius * math.cos(2 * math.pi * frequency / RATE), -radius * radius
    last = before = 0.0
    result = []
    for value in signal:
        before, last = last, value + one * last + two * before
        result.append(last)
    return result


def vowel(seconds: float, formants: tuple[tuple[int, int], ...], pitch: float) -> list[float]:
    """Pulses of a wavering pitch through resonances."""
    phase, pulses = 0.0, []
    for step in range(int(seconds * RATE)):
        phase += pitch * (1 + 0.1 * math.sin(2 * math.pi * 3 * step / RATE)) / RATE
        pulses.append(1.0 if phase >= 1 else 0.0)
        phase %= 1
    for formant in formants:
        pulses = resonate(pulses, *formant)
    loudest = max(map(abs, pulses))
    return [0.3 * value / loudest * math.sqrt(math.sin(math.pi * step / len(pulses))) for step, value in enumerate(pulses)]


def main() -> None:
    """Writes both files."""
    syllables = (vowel(0.25, A, 120), vowel(0.2, I, 130), [0.0] * 800, vowel(0.25, U, 110), vowel(0.3, A, 115))
    signal = np.concatenate([np.zeros(8192), *syllables, np.zeros(12000)])
    signal += np.random.default_rng(1).uniform(-0.002, 0.002, len(signal))
    samples = np.round(signal[:len(signal) // WINDOW * WINDOW] * 32767).astype("<i2")
    FOLDER.mkdir(exist_ok=True)
    with wave.open(str(FOLDER / "speech.wav"), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", "not compressed"))
        file.writeframes(samples.tobytes())
    session = onnxruntime.InferenceSession(sys.argv[1])
    state = np.zeros((2, 1, 128), np.float32)
    padded = np.concatenate([np.zeros(CONTEXT), samples / 32768]).astype(np.float32)
    found = []
    for start in range(0, len(samples), WINDOW):
        window = padded[None, start:start + WINDOW + CONTEXT]
        speech, state = session.run(None, {"input": window, "state": state, "sr": np.array(RATE)})
        found.append(round(float(speech[0, 0]), 6))
    (FOLDER / "probabilities.json").write_text(json.dumps(found) + "\n", encoding="utf-8")


main()
