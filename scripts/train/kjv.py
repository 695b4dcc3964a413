"""Trains `kjv`: a character model of the King James Bible, small enough to carry along.

Data: the text in Debian's package bible-kjv (1611, out of copyright), a verse a line, without the
references. It is read through the package's own command, `bible`.

Network: embedding, one LSTM layer, a linear layer; the output is the logarithm of the probability
of each character to come next, at each step. The weights are stored as F16.

Held out: six books, listed below. Nothing was chosen by them.

Use: python kjv.py [--fixtures-only]
"""

import math
import re
import subprocess
import time
from itertools import groupby

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import model_folder

NAME = "kjv"
HELD_OUT = {"Ruth", "Eccl", "Jonah", "Hab", "Gal", "1Pet"}
EMBEDDING, HIDDEN = 32, 192
LANES, STEPS, EPOCHS, LEARNING_RATE = 64, 128, 16, 5e-3
FORGET = 0.05  # how often a lane starts afresh, so that the network can do without a past
SEED = 1


def books() -> dict[str, str]:
    """The text of each book by its short name, a verse a line."""
    verses = subprocess.run(["bible", "-f", "Ge1:1-Rev22:21"], capture_output=True, text=True,
                            check=True).stdout.splitlines()
    split = [re.fullmatch(r"(\w+?)(\d+):(\d+) (.*)", verse).groups() for verse in verses]
    return {name: "".join(text + "\n" for *_, text in group)
            for name, group in groupby(split, key=lambda verse: verse[0])}


class Network(nn.Module):
    """Foretells the next character at each step: logits, [T, B, V] from ids [T, B]."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(size, EMBEDDING)
        self.lstm = nn.LSTM(EMBEDDING, HIDDEN)
        self.linear = nn.Linear(HIDDEN, size)

    def forward(self, ids: Tensor, state: tuple[Tensor, Tensor] | None = None,
                ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        h, state = self.lstm(self.embedding(ids), state)
        return self.linear(h), state


def train(text: Tensor, size: int) -> Network:
    """A network fitted to `text`, which runs past in parallel lanes, state carried along."""
    torch.manual_seed(SEED)
    network = Network(size)
    optimiser = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    chunks = len(text) // LANES // STEPS - 1
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, LEARNING_RATE, total_steps=EPOCHS * chunks, pct_start=0.05)
    started = time.monotonic()
    for epoch in range(EPOCHS):
        lanes = text.roll(int(torch.randint(len(text), ())))
        lanes = lanes[:len(text) // LANES * LANES].reshape(LANES, -1).T.contiguous()
        state = (torch.zeros(1, LANES, HIDDEN), torch.zeros(1, LANES, HIDDEN))
        total = 0.0
        for chunk in range(chunks):
            ids = lanes[chunk * STEPS:(chunk + 1) * STEPS + 1]
            keep = (torch.rand(1, LANES, 1) >= FORGET).float()
            logits, state = network(ids[:-1], (state[0] * keep, state[1] * keep))
            state = (state[0].detach(), state[1].detach())
            loss = F.cross_entropy(logits.flatten(0, 1), ids[1:].flatten())
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1} of {EPOCHS}: {total / chunks / math.log(2):.3f} bits a character,"
              f" {time.monotonic() - started:.0f} s", flush=True)
    return network


def save(network: Network, vocabulary: list[str]) -> None:
    """Writes the model folder, with the weights rounded to F16."""
    model_folder.save(model_folder.MODELS / NAME, {
        "format": "carousel/1",
        "name": NAME,
        "version": "1",
        "summary": "A character model of the King James Bible: the logarithm of the probability "
                   "of each character to come next.",
        "source": "the text of the King James Bible (1611) as packaged in Debian's bible-kjv",
        "licence": "public domain (copyright expired)",
        "example": "In the beginning God",
        "inputs": [{"name": "text", "kind": "tokens", "size": len(vocabulary),
                    "vocabulary": vocabulary}],
        "nodes": [
            {"name": "characters", "op": "embedding", "inputs": ["text"], "weights": "embedding"},
            {"name": "h", "op": "lstm", "inputs": ["characters"], "weights": "lstm"},
            {"name": "logits", "op": "linear", "inputs": ["h"], "weights": "linear"},
            {"name": "next", "op": "log_softmax", "inputs": ["logits"]},
        ],
        "outputs": [{"name": "next", "forecasts": "text"}],
    }, {name: tensor.half() for name, tensor in network.state_dict().items()})


def bits(texts: list[Tensor], log_probabilities: list[Tensor]) -> float:
    """Bits a character: `log_probabilities[i][t]` is of the character at t + 1 of text i."""
    given = torch.cat([p.gather(1, ids[1:, None]) for ids, p in zip(texts, log_probabilities)])
    return -given.double().mean().item() / math.log(2)


class Counts:
    """Characters counted after each context of up to `order` characters, with Witten-Bell back-off.

    p(c | context) = (n(context c) + d(context) p(c | shorter context)) / (n(context) + d(context)),
    where d counts the distinct characters that followed the context; below the empty context all
    characters are alike.
    """

    def __init__(self, text: np.ndarray, order: int, size: int) -> None:
        self.order, self.size = order, size
        self.tables = []
        for k in range(order + 1):
            grams, n = np.unique(self._grams(text, k), return_counts=True)
            contexts, first = np.unique(grams // size, return_index=True)
            distinct = np.diff(np.append(first, len(grams)))
            self.tables.append((grams, n, contexts, np.add.reduceat(n, first), distinct))

    def _grams(self, text: np.ndarray, k: int) -> np.ndarray:
        grams = np.zeros(len(text) - k, np.int64)
        for i in range(k + 1):
            grams = grams * self.size + text[i:len(text) - k + i]
        return grams

    @staticmethod
    def _look_up(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where(keys[at] == wanted, values[at], 0)

    def bits(self, text: np.ndarray) -> np.ndarray:
        """The bits of each character of `text` but the first."""
        p = np.full(len(text), 1 / self.size)
        for k, (grams, n, contexts, totals, distinct) in enumerate(self.tables):
            wanted = self._grams(text, k)
            seen = self._look_up(contexts, totals, wanted // self.size)
            d = self._look_up(contexts, distinct, wanted // self.size)
            count = self._look_up(grams, n, wanted)
            longer = (count + d * p[k:]) / np.maximum(seen + d, 1)
            p[k:] = np.where(seen > 0, longer, p[k:])
        return -np.log2(p[1:])


@torch.no_grad()
def sample(folder: model_folder.Folder, prompt: str, length: int, temperature: float) -> str:
    """`prompt` and `length` characters more, drawn from the stored model."""
    vocabulary = folder.description["inputs"][0]["vocabulary"]
    network = Network(len(vocabulary))
    network.load_state_dict(folder.tensors)
    generator = torch.Generator().manual_seed(SEED)
    ids = [vocabulary.index(c) for c in prompt]
    logits, state = network(torch.tensor(ids).unsqueeze(1))
    for _ in range(length):
        p = torch.softmax(logits[-1, 0] / temperature, dim=0)
        ids.append(int(torch.multinomial(p, 1, generator=generator)))
        logits, state = network(torch.tensor([[ids[-1]]]), state)
    return "".join(vocabulary[i] for i in ids)


def report(training: Tensor, held_out: list[Tensor], vocabulary: list[str]) -> None:
    """Prints bits a character on the held-out books, of the stored model and of counting."""
    folder = model_folder.Folder(model_folder.MODELS / NAME)
    stored = [folder.run({"text": ids})["next"] for ids in held_out]
    print(f"bits a character on {sum(map(len, held_out))} characters held out:")
    print(f"  carousel                  {bits(held_out, stored):.3f}")
    for order in (3, 4, 5, 6, 7):
        counts = Counts(training.numpy(), order, len(vocabulary))
        mean = np.concatenate([counts.bits(ids.numpy()) for ids in held_out]).mean()
        print(f"  contexts of up to {order}       {mean:.3f}")
    for prompt, temperature in (("In the beginning ", 0.5), ("And the LORD said unto ", 0.8)):
        print(f"--- temperature {temperature}\n{sample(folder, prompt, 400, temperature)}")


def write_fixtures(text: str, vocabulary: list[str]) -> None:
    """Writes the stored model's outputs for openings of `text`, a held-out book."""
    folder = model_folder.Folder(model_folder.MODELS / NAME)
    ids = torch.tensor([vocabulary.index(c) for c in text])
    cases = []
    for length, selection in ((1, "last"), (20, "last"), (1000, "last"), (12, "all")):
        given = {"text": ids[:length]}
        cases.append(model_folder.case(given, folder.run(given, selection), selection=selection))
    model_folder.write_cases(model_folder.MODEL_FIXTURES / f"{NAME}.json", cases)


def main() -> None:
    """Trains, reports and writes fixtures; with --fixtures-only, all but the training."""
    only_fixtures = model_folder.fixtures_only(NAME)
    torch.set_num_threads(1)
    texts = books()
    vocabulary = sorted(set("".join(texts.values())))

    def encoded(text: str) -> Tensor:
        return torch.tensor([vocabulary.index(c) for c in text])

    training = encoded("".join(text for name, text in texts.items() if name not in HELD_OUT))
    if not only_fixtures:
        save(train(training, len(vocabulary)), vocabulary)
    report(training, [encoded(texts[name]) for name in sorted(HELD_OUT)], vocabulary)
    write_fixtures(texts["Jonah"], vocabulary)


if __name__ == "__main__":
    main()
