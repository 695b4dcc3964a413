"""Makes Tests/Fixtures/decoders: small random sequence-to-sequence models, with what PyTorch answers step by step.

The three decoders that most models in use have: an LSTM that starts from the encoder's states (Sutskever et al., 2014), a
GRU that reads a context by the state before (Bahdanau et al., 2015), and one whose output attends, and whose attentional
vector is read by the next step (Luong et al., 2015). Each sequence was run alone, in float32 on a CPU; the likeliest token
of each step is the input of the next. The cases' outputs are the logits of each step, the one that ends included, and

    "decoded": {"y": {"labels": [...], "score": ...}}

Use: python decoders.py (with torch and safetensors)
"""

import json
from typing import Any

import numpy as np
import torch
from reference import FIXTURES, case, write_cases
from safetensors.torch import save_file
from torch import Tensor, nn

DECODERS = FIXTURES / "decoders"
LETTERS, WORDS, SIZE, HIDDEN = 9, 7, 5, 6
START, END, LIMIT = 6, 0, 9
LENGTHS = (1, 2, 5, 12)
Json = dict[str, Any]


class Seq2Seq(nn.Module):
    """What all three have: embeddings, and a linear map to the scores of words."""

    def __init__(self, scores: int) -> None:
        super().__init__()
        self.letters = nn.Embedding(LETTERS, SIZE)
        self.words = nn.Embedding(WORDS, SIZE)
        self.fc = nn.Linear(scores, WORDS)

    def begin(self, ids: Tensor) -> tuple[Tensor, ...]:
        """What the first step goes on from."""
        raise NotImplementedError

    def step(self, word: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The logits of the next word, and what the next step goes on from."""
        raise NotImplementedError


class States(Seq2Seq):
    """From the final states of both directions to two layers."""

    def __init__(self) -> None:
        super().__init__(HIDDEN)
        self.encoder = nn.LSTM(SIZE, HIDDEN, bidirectional=True, batch_first=True)
        self.to_h, self.to_c = nn.Linear(2 * HIDDEN, 2 * HIDDEN), nn.Linear(2 * HIDDEN, 2 * HIDDEN)
        self.decoder = nn.LSTM(SIZE, HIDDEN, num_layers=2, batch_first=True)

    def begin(self, ids: Tensor) -> tuple[Tensor, ...]:
        _, (h, c) = self.encoder(self.letters(ids)[None])
        return (torch.tanh(self.to_h(h.flatten())).view(2, 1, HIDDEN),
                self.to_c(c.flatten()).view(2, 1, HIDDEN))

    def step(self, word: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        y, (h, c) = self.decoder(self.words(word)[None], (state[0], state[1]))
        return self.fc(y[0, 0]), (h, c)

    @staticmethod
    def description() -> Json:
        return {
            "nodes": [
                {"name": "letters", "op": "embedding", "inputs": ["ids"]},
                {"name": "encoder", "op": "lstm", "inputs": ["letters"]},
                {"name": "to_h", "op": "linear", "inputs": ["encoder.hidden"]},
                {"name": "h", "op": "tanh", "inputs": ["to_h"]},
                {"name": "to_c", "op": "linear", "inputs": ["encoder.cell"]}],
            "inputs": [{"name": "h0", "from": "h"}, {"name": "c0", "from": "to_c"}],
            "steps": [
                {"name": "words", "op": "embedding", "inputs": ["word"]},
                {"name": "decoder", "op": "lstm", "inputs": ["words", "h0", "c0"]},
                {"name": "y", "op": "linear", "inputs": ["decoder"], "weights": "fc"}]}


class Bahdanau(Seq2Seq):
    """The state before the step is the query; the context stands beside the word."""

    def __init__(self) -> None:
        super().__init__(HIDDEN)
        self.encoder = nn.GRU(SIZE, HIDDEN, bidirectional=True, batch_first=True)
        self.keys, self.query = nn.Linear(2 * HIDDEN, HIDDEN), nn.Linear(HIDDEN, HIDDEN)
        self.energy = nn.Linear(HIDDEN, 1, bias=False)
        self.bridge = nn.Linear(2 * HIDDEN, HIDDEN)
        self.decoder = nn.GRU(SIZE + 2 * HIDDEN, HIDDEN, batch_first=True)

    def begin(self, ids: Tensor) -> tuple[Tensor, ...]:
        steps, h = self.encoder(self.letters(ids)[None])
        return steps[0], self.bridge(h.flatten())

    def step(self, word: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        steps, h = state
        weights = torch.softmax(self.energy(torch.tanh(self.query(h) + self.keys(steps)))[:, 0], 0)
        read = torch.cat([self.words(word)[0], weights @ steps])
        y, h = self.decoder(read[None, None], h[None, None])
        return self.fc(y[0, 0]), (steps, h.flatten())

    @staticmethod
    def description() -> Json:
        return {
            "nodes": [
                {"name": "letters", "op": "embedding", "inputs": ["ids"]},
                {"name": "encoder", "op": "gru", "inputs": ["letters"]},
                {"name": "keys", "op": "linear", "inputs": ["encoder"]},
                {"name": "bridge", "op": "linear", "inputs": ["encoder.hidden"]}],
            "inputs": [
                {"name": "h0", "from": "bridge"}, {"name": "keys", "from": "keys"}, {"name": "steps", "from": "encoder"},
                {"name": "before", "from": "bridge", "next": "decoder"}],
            "steps": [
                {"name": "words", "op": "embedding", "inputs": ["word"]},
                {"name": "query", "op": "linear", "inputs": ["before"]},
                {"name": "context", "op": "attention", "score": "additive", "weights": "energy",
                 "inputs": ["query", "keys", "steps"]},
                {"name": "read", "op": "concat", "inputs": ["words", "context"]},
                {"name": "decoder", "op": "gru", "inputs": ["read", "h0"]},
                {"name": "y", "op": "linear", "inputs": ["decoder"], "weights": "fc"}]}


class Luong(Seq2Seq):
    """The output is the query ("general"); the attentional vector is fed to the next step."""

    def __init__(self) -> None:
        super().__init__(HIDDEN)
        self.encoder = nn.GRU(SIZE, HIDDEN, batch_first=True)
        self.decoder = nn.GRU(SIZE + HIDDEN, HIDDEN, batch_first=True)
        self.general = nn.Parameter(torch.zeros(HIDDEN, HIDDEN))
        self.join = nn.Linear(2 * HIDDEN, HIDDEN)

    def begin(self, ids: Tensor) -> tuple[Tensor, ...]:
        steps, h = self.encoder(self.letters(ids)[None])
        return steps[0], h.flatten(), torch.zeros(HIDDEN)

    def step(self, word: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        steps, h, fed = state
        y, h = self.decoder(torch.cat([self.words(word)[0], fed])[None, None], h[None, None])
        weights = torch.softmax(y[0, 0] @ self.general @ steps.T, 0)
        fed = torch.tanh(self.join(torch.cat([weights @ steps, y[0, 0]])))
        return self.fc(fed), (steps, h.flatten(), fed)

    @staticmethod
    def description() -> Json:
        return {
            "nodes": [
                {"name": "letters", "op": "embedding", "inputs": ["ids"]},
                {"name": "encoder", "op": "gru", "inputs": ["letters"]}],
            "inputs": [
                {"name": "h0", "from": "encoder.hidden"}, {"name": "steps", "from": "encoder"},
                {"name": "fed", "size": HIDDEN, "next": "attentional"}],
            "steps": [
                {"name": "words", "op": "embedding", "inputs": ["word"]},
                {"name": "read", "op": "concat", "inputs": ["words", "fed"]},
                {"name": "decoder", "op": "gru", "inputs": ["read", "h0"]},
                {"name": "context", "op": "attention", "score": "bilinear", "weights": "general",
                 "inputs": ["decoder", "steps"]},
                {"name": "both", "op": "concat", "inputs": ["context", "decoder"]},
                {"name": "join", "op": "linear", "inputs": ["both"]},
                {"name": "attentional", "op": "tanh", "inputs": ["join"]},
                {"name": "y", "op": "linear", "inputs": ["attentional"], "weights": "fc"}]}


@torch.no_grad()
def answer(model: Seq2Seq, ids: Tensor) -> tuple[Tensor, list[int], float]:
    """The logits of each step, the words without the end, and the logarithm of their probability."""
    state, word, score = model.begin(ids), START, 0.0
    rows: list[Tensor] = []
    words: list[int] = []
    while len(rows) < LIMIT:
        logits, state = model.step(torch.tensor([word]), state)
        rows.append(logits)
        word = int(logits.argmax())
        score += float(torch.log_softmax(logits.double(), 0)[word])
        if word == END:
            break
        words.append(word)
    return torch.stack(rows), words, score


def varied(kind: type[Seq2Seq]) -> tuple[Seq2Seq, list[Tensor]]:
    """The first random model that says different things, and ends one of them, with what it is asked."""
    for seed in range(1000):
        torch.manual_seed(seed)
        model = kind()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.uniform_(-2, 2)
            model.fc.weight.mul_(3)
        asked = [torch.randint(0, LETTERS, (length,)) for length in LENGTHS]
        words = [answer(model, ids)[1] for ids in asked]
        if len({tuple(w) for w in words}) == len(words) and min(len(set(w)) for w in words) > 1 \
                and any(len(w) < LIMIT for w in words):
            return model, asked
    raise SystemExit(f"no varied {kind.__name__}")


def main() -> None:
    for kind in (States, Bahdanau, Luong):
        model, asked = varied(kind)
        name = kind.__name__.lower()
        folder = DECODERS / name
        folder.mkdir(parents=True, exist_ok=True)
        parts = model.description()
        description = {
            "format": "carousel/1", "name": name, "version": "1",
            "inputs": [{"name": "ids", "kind": "tokens", "size": LETTERS}], "nodes": parts["nodes"],
            "decoder": {
                "inputs": [{"name": "word", "kind": "tokens", "size": WORDS}, *parts["inputs"]],
                "nodes": parts["steps"], "outputs": [{"name": "y"}], "start": START, "end": END, "max_steps": LIMIT}}
        (folder / "model.json").write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
        tensors = {k: v.contiguous().clone() for k, v in model.state_dict().items()}
        if "general" in tensors:
            tensors["general.weight"] = tensors.pop("general")
        save_file(tensors, folder / "model.safetensors")
        (folder / "model.safetensors").chmod(0o644)
        cases = []
        for ids in asked:
            rows, words, score = answer(model, ids)
            print(name, len(ids), words, f"{score:.4f}")
            cases.append(case({"ids": ids.numpy().astype(np.int64)}, {"y": rows.numpy()},
                              decoded={"y": {"labels": words, "score": score}}))
        write_cases(folder, cases, torch=torch.__version__)


if __name__ == "__main__":
    main()
