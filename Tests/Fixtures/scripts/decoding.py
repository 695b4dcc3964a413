"""Makes Tests/Fixtures/decoding: small random models whose outputs are decoded to labels.

Each folder holds model.json, model.safetensors and io.json, as those of ops.py, whose cases have beside
their outputs what these are decoded to:

    "decoded": {"y": {"labels": [...], "score": ...}}

The labels and scores of a CRF are those of the package pytorch-crf, those of CTC TensorFlow's (whose blank
is the last label).

Use: python decoding.py (with torch, safetensors, pytorch-crf and tensorflow)
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import torch
from torch import Tensor, nn
from torchcrf import CRF

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "scripts" / "train"))
import model_folder  # noqa: E402

DECODING = model_folder.ROOT / "Tests" / "Fixtures" / "decoding"
LENGTHS = (1, 2, 7, 33)
FEATURES, HIDDEN = 3, 6
Json = dict[str, Any]


def random_crf(labels: int) -> CRF:
    """A CRF whose transitions matter as much as its emissions do."""
    crf = CRF(labels, batch_first=True)
    for parameter in crf.parameters():
        nn.init.uniform_(parameter, -1.5, 1.5)
    return crf


def viterbi(crf: CRF, emissions: Tensor) -> Json:
    """The best labels of one sequence, and their score."""
    labels = crf.decode(emissions[None])[0]
    mask = torch.ones(len(labels), 1, dtype=torch.uint8)
    score = crf._compute_score(emissions[:, None], torch.tensor(labels)[:, None], mask)
    return {"labels": labels, "score": score.item()}


def ctc(emissions: Tensor, beam: int | None) -> Json:
    """What TensorFlow reads of logits, and the logarithm of its probability."""
    logarithms = torch.log_softmax(emissions.double(), 1).float().numpy()[:, None]
    lengths = np.array([len(logarithms)], dtype=np.int32)
    if beam is None:
        (decoded,), score = tf.nn.ctc_greedy_decoder(logarithms, lengths)
        score = -score
    else:
        (decoded,), score = tf.nn.ctc_beam_search_decoder(logarithms, lengths, beam_width=beam)
    return {"labels": decoded.values.numpy().tolist(), "score": score.numpy().item()}


def inside(crf: CRF) -> Tensor:
    """The transitions of a CRF from the columns to the rows, with labels before the start (the last but one) and behind
    the end (the last)."""
    labels = crf.num_tags
    transitions = torch.full((labels + 2, labels + 2), -10000.0)
    transitions[:labels, :labels] = crf.transitions.T
    transitions[:labels, labels] = crf.start_transitions
    transitions[labels + 1, :labels] = crf.end_transitions
    return transitions


def write(name: str, summary: str, decode: Json | str, size: int, tensors: Json, read: Any,
          scale: float = 4.0) -> None:
    """Writes one folder; `read` decodes emissions."""
    lstm, head = nn.LSTM(FEATURES, HIDDEN), nn.Linear(HIDDEN, size)
    with torch.no_grad():
        head.weight *= scale
    stored = {f"{prefix}.{key}": tensor
              for prefix, module in (("h", lstm), ("y", head))
              for key, tensor in module.state_dict().items()} | tensors
    path = DECODING / name
    model_folder.save(path, {
        "format": "carousel/1", "name": name, "version": "1", "summary": summary,
        "inputs": [{"name": "x", "kind": "features", "size": FEATURES}],
        "nodes": [{"name": "h", "op": "lstm", "inputs": ["x"]},
                  {"name": "y", "op": "linear", "inputs": ["h"]}],
        "outputs": [{"name": "y", "decode": decode}]}, stored)
    folder = model_folder.Folder(path)
    cases = []
    for length in LENGTHS:
        given = {"x": 2 * torch.randn(length, FEATURES)}
        answers = folder.run(given)
        case = model_folder.case(given, answers)
        cases.append(case | {"decoded": {"y": read(answers["y"])}})
    model_folder.write_cases(path / "io.json", cases)


def main() -> None:
    """Writes every folder."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    with torch.no_grad():
        crf = random_crf(4)
        write("crf", "A CRF of pytorch-crf.", "crf", 4, {f"crf.{k}": v for k, v in crf.state_dict().items()},
              lambda emissions: viterbi(crf, emissions))
        write("crf_inside", "A CRF with labels for the start and the end, as in PyTorch's tutorial.",
              {"op": "crf", "weights": "", "order": "to_from", "start": 4, "end": 5}, 6,
              {"transitions": inside(crf)}, lambda emissions: viterbi(crf, emissions[:, :4]))
        write("ctc_greedy", "The best label of each step.", {"op": "ctc", "blank": 4}, 5, {},
              lambda emissions: ctc(emissions, None))
        for width in (2, 10):
            write(f"ctc_beam_{width}", "A beam search.", {"op": "ctc", "blank": 4, "beam": width}, 5, {},
                  lambda emissions, width=width: ctc(emissions, width), scale=1.5)


if __name__ == "__main__":
    main()
