"""Makes Tests/Fixtures/torch_graphs: small random models as TorchScript (traced, some scripted) and as torch.export's .pt2.

Each folder holds traced.pt, frozen.pt (of which torch.jit.freeze took the names off), scripted.pt and exported.pt2, as far as
PyTorch makes them, and io.json as ops.py has it: what
PyTorch answers for sequences of several lengths, each alone, with the outputs by their number.

Use: python torch_graphs.py [NAME…] (PyTorch 2.15; truths and those behind it with 2.13: name them)
"""

import json
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
import torch.nn.utils.prune
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

ROOT = Path(__file__).resolve().parents[1] / "torch_graphs"
LENGTHS = (2, 3, 7)
Json = dict[str, Any]


class Tagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 4, padding_idx=0)
        self.rnn = nn.LSTM(4, 5, num_layers=2, batch_first=True, bidirectional=True, dropout=0.2)
        self.dropout = nn.Dropout(0.3)
        self.fc = nn.Linear(10, 3)

    def forward(self, ids: Tensor) -> Tensor:
        h, _ = self.rnn(self.embedding(ids))
        return F.log_softmax(self.fc(self.dropout(h)), dim=-1)


class LastStates(nn.Module):
    """Steps first; the last step and a final state."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(3, 5, 2)
        self.norm = nn.LayerNorm(5)
        self.fc = nn.Linear(5, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y, h = self.rnn(x)
        return self.fc(self.norm(y[-1])), torch.sigmoid(self.fc(h[-1]))


class BothEnds(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 4)
        self.rnn = nn.LSTM(4, 5, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(10, 3)

    def forward(self, ids: Tensor) -> Tensor:
        _, (h, c) = self.rnn(self.embedding(ids))
        return torch.softmax(self.fc(torch.cat((h[-2], h[-1]), dim=1)), 1)


class Convolved(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(3, 6, 3, padding=1)
        self.norm = nn.BatchNorm1d(6)
        self.rnn = nn.LSTM(6, 5, batch_first=True)
        self.head = nn.Sequential(nn.Linear(5, 4), nn.GELU(), nn.Dropout(0.1), nn.Linear(4, 2))
        self.norm.running_mean.uniform_(-1, 1)
        self.norm.running_var.uniform_(0.5, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.norm(self.conv(x.transpose(1, 2)))).permute(0, 2, 1)
        h, _ = self.rnn(x)
        return self.head(h.mean(dim=1))


class AttentionPool(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(3, 5, batch_first=True, bidirectional=True)
        self.hidden = nn.Linear(10, 6)
        self.score = nn.Linear(6, 1, bias=False)
        self.fc = nn.Linear(10, 2)

    def forward(self, x: Tensor) -> Tensor:
        h, _ = self.rnn(x)
        weights = torch.softmax(self.score(torch.tanh(self.hidden(h))), dim=1)
        return self.fc((weights * h).sum(dim=1))


class Residual(nn.Module):
    """Blocks of a module list, each with a norm and what came in added."""

    def __init__(self) -> None:
        super().__init__()
        self.entry = nn.Linear(3, 4)
        self.blocks = nn.ModuleList([nn.LSTM(4, 4, batch_first=True) for _ in range(2)])
        self.norms = nn.ModuleList([nn.LayerNorm(4) for _ in range(2)])
        self.scale = nn.Parameter(torch.rand(4))
        self.fc = nn.Linear(4, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.leaky_relu(self.entry(x), 0.1)
        for block, norm in zip(self.blocks, self.norms):
            x = x + norm(block(x)[0]) * self.scale
        return self.fc(x.max(dim=1)[0]).squeeze(-1)


class Halves(nn.Module):
    """A network of relu's, its outputs taken apart and gated."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.RNN(3, 6, nonlinearity="relu", batch_first=True)
        self.fc = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        h, _ = self.rnn((x - 0.5) / 2.0)
        a, b = torch.chunk(h, 2, dim=-1)
        return torch.clamp(self.fc(a * torch.sigmoid(b)), -1.0, 1.0)


class Stateful(nn.Module):
    """States go in and come out."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(3, 4, 1, batch_first=True)
        self.fc = nn.Linear(4, 1)

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        y, (h, c) = self.rnn(x, (h, c))
        return self.fc(y), h, c


class Packed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 4)
        self.rnn = nn.LSTM(4, 5, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(10, 3)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(
            self.embedding(ids), lengths, batch_first=True, enforce_sorted=True)
        h, _ = pad_packed_sequence(self.rnn(packed)[0], batch_first=True)
        return self.fc(h)


class SelfAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(3, 4, batch_first=True)
        self.query, self.key, self.value = (nn.Linear(4, 4) for _ in range(3))
        self.fc = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        h, _ = self.rnn(x)
        q, k, v = self.query(h), self.key(h), self.value(h)
        return self.fc(F.scaled_dot_product_attention(q, k, v))


class Projected(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(3, 6, 2, batch_first=True, bidirectional=True, proj_size=2)
        self.fc = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y, (_, c) = self.rnn(x)
        return self.fc(y), torch.tanh(c[-1])


class Sorted(nn.Module):
    """Sequences that PyTorch sorts by their lengths, and puts back."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 4)
        self.rnn = nn.GRU(4, 5, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(10, 3)

    def forward(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        packed = pack_padded_sequence(
            self.embedding(ids), lengths, batch_first=True, enforce_sorted=False)
        y, h = self.rnn(packed)
        y, _ = pad_packed_sequence(y, batch_first=True)
        return self.fc(torch.cat((h[0], h[1]), dim=1)), torch.relu(y)


class OneHot(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(11, 5, batch_first=True)
        self.pool = nn.AdaptiveMaxPool1d(1)

    def forward(self, ids: Tensor) -> Tensor:
        y, _ = self.rnn(F.one_hot(ids, 11).float())
        return self.pool(y.transpose(1, 2)).squeeze(-1)


class Image(nn.Module):
    """A spectrogram, convolved as an image, then read step by step."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, (3, 3), padding=(1, 1), stride=(1, 2))
        self.rnn = nn.LSTM(12, 4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.conv(x.unsqueeze(1)))
        y = F.max_pool2d(y, (1, 2), (1, 2), (0, 1))
        y = y.permute(0, 2, 1, 3).flatten(2)
        return self.rnn(y)[0]


class Kept(nn.Module):
    """A squeeze of an axis that is not of size 1, which does nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(3, 4, batch_first=True)
        self.fc = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.rnn(x)[0].squeeze(2))


class Spectral(nn.Module):
    """Norms over the steps behind a convolution of an image, ahead of the network that reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.groups = nn.GroupNorm(2, 4)
        self.each = nn.InstanceNorm2d(4)
        self.rnn = nn.LSTM(12, 4, batch_first=True)
        nn.init.normal_(self.groups.weight)
        nn.init.normal_(self.groups.bias)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.groups(self.conv(x.unsqueeze(1))))
        y = self.each(y).permute(0, 2, 1, 3).reshape(x.size(0), x.size(1), 12)
        return self.rnn(y)[0]


class SpectralLayer(Spectral):
    """A norm with weights for each of the steps, of which there are six."""

    def __init__(self) -> None:
        super().__init__()
        self.each = nn.LayerNorm([6, 3])
        nn.init.normal_(self.each.weight)


class Flattened(nn.Module):
    """Every step has weights of its own: sequences of six."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(3, 4, batch_first=True)
        self.fc = nn.Linear(24, 2)

    def forward(self, x: Tensor) -> Tensor:
        y, _ = self.rnn(x)
        return self.fc(y.reshape(y.shape[0], -1))


class Seeded(nn.Module):
    """A decoder that reads zeros, from the state that an encoder ends with."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.LSTM(3, 4, batch_first=True)
        self.decoder = nn.LSTM(2, 4, batch_first=True)
        self.fc = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        _, state = self.encoder(x)
        y, _ = self.decoder(torch.zeros(x.shape[0], x.shape[1], 2), state)
        return self.fc(y)


class Operators(nn.Module):
    """What traces and exported programs have of PyTorch's own operators."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("eye", torch.eye(11))
        self.conv = torch.nn.utils.parametrizations.weight_norm(nn.Conv1d(11, 4, 3, padding="same"))
        self.prelu = nn.PReLU(4, init=0.3)
        self.rnn = nn.GRU(4, 4, batch_first=True)
        self.prelu.weight.data.uniform_(0, 1)

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        y = self.prelu(self.conv(self.eye[ids].transpose(1, 2))).transpose(1, 2)
        h, _ = self.rnn(torch.log1p(y.abs()) + torch.log10(y.abs() + 1))
        context = F.scaled_dot_product_attention(h, h, h, is_causal=True)
        steps = torch.repeat_interleave(context, 2, dim=1)
        pooled = torch.cat((h.mean(1), h.std(1), h.var(1, unbiased=False)), 1)
        cosine = F.cosine_similarity(h.mean(1), h[:, -1]).unsqueeze(1)
        return steps, torch.cat((pooled, torch.einsum("bth,bt->bh", h, h[..., 0]), cosine), 1)


class VectorSteps(nn.Module):
    """A vector becomes some steps."""

    def __init__(self) -> None:
        super().__init__()
        self.entry = nn.Linear(3, 8)
        self.rnn = nn.LSTM(4, 5, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.rnn(self.entry(x).view(-1, 2, 4))[0][:, -1]


class Forecast(nn.Module):
    """A decoder that reads what it answered."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.GRU(3, 4, batch_first=True)
        self.decoder = nn.GRU(3, 4, batch_first=True)
        self.fc = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        _, h = self.encoder(x)
        one, found = x[:, -1:], []
        for _ in range(2):
            y, h = self.decoder(one, h)
            one = self.fc(y)
            found.append(one.squeeze(1))
        return torch.cat(found, dim=1)


class Series(nn.Module):
    """A forecaster of many series: each has an id, beside its steps."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 4)
        self.rnn = nn.LSTM(6, 5, batch_first=True)
        self.fc = nn.Linear(5, 2)

    def forward(self, x: Tensor, ids: Tensor) -> Tensor:
        e = self.embedding(ids).unsqueeze(1).expand(-1, x.size(1), -1)
        return self.fc(self.rnn(torch.cat((x, e), dim=-1))[0][:, -1])


class Positions(nn.Module):
    """Positions are added: traced and exported they are those of the example's length."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 4)
        self.positions = nn.Embedding(16, 4)
        self.rnn = nn.GRU(4, 5, batch_first=True)
        self.fc = nn.Linear(5, 2)

    def forward(self, ids: Tensor) -> Tensor:
        places = torch.arange(ids.size(1), device=ids.device).unsqueeze(0)
        return self.fc(self.rnn(self.embedding(ids) + self.positions(places))[0])


class Deviation(nn.Module):
    """A sequence less its mean, by its deviation, both by divisions."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(3, 5, batch_first=True)
        self.fc = nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = x - x.sum(1, keepdim=True) / x.size(1)
        x = x / torch.sqrt((x * x).sum(1, keepdim=True) / (x.size(1) - 1) + 1e-3)
        return self.fc(self.rnn(x)[0].mean(1))


class Truths(nn.Module):
    """What is true or false computed with as with numbers, without casts and with them."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(3, 4, batch_first=True)
        self.fc = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        h = self.rnn(x)[0]
        present, high = x[..., :1] > -1, x[..., 1:2].gt(0)
        mean = (h * present.float()).sum(1) / present.sum(1).clamp(min=1)
        marks = (high.int() * 2 + 1).float() + (present == high).type_as(x)
        counts = (h > 0).sum(-1, keepdim=True).float() * ~high
        weights = torch.softmax(h[..., :1].masked_fill(x[..., :1] < -1.5, float("-inf")), 1)
        return (self.fc(mean), self.fc((h > 0) * h), marks, counts,
                torch.rsub(h, x[..., :1], alpha=2), (weights * h).sum(1))


class Attended(nn.Module):
    """Attention that PyTorch computes in one call, of a layer by itself and of an encoder's."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(3, 4, batch_first=True)
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
        self.before = nn.TransformerEncoderLayer(4, 2, 6, batch_first=True, norm_first=True, activation="gelu")
        self.behind = nn.TransformerEncoderLayer(4, 1, 6, batch_first=True)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        h = self.rnn(x)[0]
        last = self.attention(h[:, -1:], h, h)[0]
        return self.attention(h, h, h)[0], self.before(h).mean(1), self.behind(h), last


class Chosen(nn.Module):
    """Several steps and elements by their indices in brackets."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(3, 4, batch_first=True)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        h = self.rnn(x)[0]
        last = h[torch.arange(h.shape[0]), lengths - 1]
        return h[..., [0, 2]], h[:, [0, -1]].flatten(1), h[:, :, [3, 0]], h[:, [-1, 0, -2]].mean(1), last


class Masked(nn.Module):
    """A number a step, and whether a step counts."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(3, 4, batch_first=True)

    def forward(self, x: Tensor, weights: Tensor, counts: Tensor) -> tuple[Tensor, ...]:
        h = self.rnn(x)[0]
        mean = (h * weights.unsqueeze(-1)).sum(1) / (weights.sum(1, keepdim=True) + 3)
        scores = h.sum(-1).masked_fill(~counts, -1e9)
        pooled = (torch.softmax(scores, 1).unsqueeze(-1) * h).sum(1)
        return mean, pooled, h.masked_fill(~counts.unsqueeze(-1), -1e9).max(1)[0]


class Written(nn.Module):
    """Operators in place, and assignments to parts of a tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(3, 4, batch_first=True)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        h = self.rnn(x)[0]
        zeroed, doubled, copied, chosen = h.clone(), h.clone(), h.clone(), h.clone()
        zeroed[:, :, 0] = 0
        doubled.transpose(1, 2).mul_(2)
        doubled[..., 1:3] += 1
        copied[:, :, 3] = x[:, :, 0]
        chosen[x[:, :, 0] > 0] = 0.5
        wide = h.view(h.shape[0], h.shape[1], 2, 2)
        wide *= 3
        return zeroed, doubled, copied, chosen, h


class WrittenEnd(nn.Module):
    """Assignments to steps whose numbers come from the length."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(3, 4, batch_first=True)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        h = self.rnn(x)[0]
        last, tail, head, part = h.clone(), h.clone(), torch.zeros_like(h), h.clone()
        last[:, x.size(1) - 1] = 0.5
        tail[:, x.size(1) - 2:] = h[:, :2]
        head[:, :x.size(1) - 1] = h[:, 1:]
        part[:, x.size(1) - 1, 1:3] = h[:, 0, :2]
        return last, tail, head, part


class Ramps(nn.Module):
    """Positions as features of each step, whole and divided by numbers that come from the length."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(7, 4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        batch, steps = x.size(0), x.size(1)
        places = torch.arange(steps).float()
        shares = (places / steps).view(1, steps, 1).expand(batch, steps, 1)
        tenths = (places / 10).view(1, steps, 1).repeat(batch, 1, 1)
        left = torch.arange(steps - 1, -1, -1).view(1, steps, 1).expand(batch, -1, -1) * 0.1
        even = torch.linspace(-1, 1, steps).view(1, steps, 1).expand(batch, -1, -1)
        return self.rnn(torch.cat((x, shares, tenths, left, even), -1))[0]


class Started(nn.Module):
    """Decoders unrolled three steps, which begin with zeros and with a learned vector."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.LSTM(3, 4, batch_first=True)
        self.decoder = nn.LSTM(2, 4, batch_first=True)
        self.other = nn.GRU(2, 4, num_layers=1)
        self.head = nn.Linear(4, 2)
        self.start = nn.Parameter(torch.randn(2))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        state = self.encoder(x)[1]
        h = state[0]
        y, z = torch.zeros(x.size(0), 1, 2), self.start.view(1, 1, 2).expand(1, x.size(0), 2)
        ys, zs = [], []
        for _ in range(3):
            hidden, state = self.decoder(y, state)
            y = self.head(hidden)
            ys.append(y[:, 0])
            hidden, h = self.other(z, h)
            z = self.head(hidden)
            zs.append(z[0])
        return torch.cat(ys, 1), torch.cat(zs, 1)


class LearnedStates(nn.Module):
    """Networks that begin with states that were trained: two layers with both, and one with h alone."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(3, 4, num_layers=2, proj_size=2, batch_first=True)
        self.gru = nn.GRU(2, 3, batch_first=True)
        self.h, self.c = nn.Parameter(torch.randn(2, 1, 2)), nn.Parameter(torch.randn(2, 1, 4))
        self.start = nn.Parameter(torch.randn(3))

    def forward(self, x: Tensor) -> Tensor:
        batch = x.size(0)
        y = self.lstm(x, (self.h.expand(-1, batch, -1).contiguous(), self.c.repeat(1, batch, 1)))[0]
        return self.gru(y, self.start.view(1, 1, 3).expand(1, batch, 3).contiguous())[0]


class WrittenCells(nn.Module):
    """A step of cells that are written as arithmetic: an LSTM of one matrix, and GRUs whose reset gate stands after the product and before it."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.Linear(3 + 4, 4 * 4)
        self.cell = nn.GRUCell(4, 3)
        self.gates, self.candidate = nn.Linear(3 + 4, 2 * 4), nn.Linear(3 + 4, 4)
        self.fc = nn.Linear(4, 2)

    def forward(self, x: Tensor, h: Tensor, c: Tensor, g: Tensor, b: Tensor) -> tuple[Tensor, ...]:
        forget, entry, output, candidate = self.lstm(torch.cat([x, h], 1)).chunk(4, 1)
        c = torch.sigmoid(forget) * c + torch.sigmoid(entry) * torch.tanh(candidate)
        h = torch.sigmoid(output) * torch.tanh(c)
        g = self.cell(h, g)
        reset, update = torch.sigmoid(self.gates(torch.cat([g, b], 1))).split(4, 1)
        b = (1 - update) * b + update * torch.tanh(self.candidate(torch.cat([g, reset * b], 1)))
        return self.fc(b), h, c, g, b


class StepsFirst(nn.Module):
    """One sequence with its steps first, whose steps and batch are put together, and the last step of the input."""

    def __init__(self) -> None:
        super().__init__()
        self.entry, self.rnn, self.last = nn.Linear(2, 4), nn.LSTM(4, 5), nn.Linear(2, 5)

    def forward(self, x: Tensor) -> Tensor:
        steps = self.entry(x.reshape(-1, 2)).view(-1, x.size(1), 4)
        return self.rnn(steps)[1][0][-1] + self.last(x[-1])


class Quotients(nn.Module):
    """Quotients of numbers that the graph makes: of floats that are whole, and of whole numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(3, 4, batch_first=True)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        h = self.rnn(x)[0]
        places = torch.arange(4, dtype=torch.float)
        numbers = torch.arange(0, 4)
        floats = h * (places / 3), h * (-places / 3), h * ((places + 1) / 3), h * (places.flip(0) / 3)
        powers = h * torch.exp(-torch.arange(0, 4, 1, dtype=torch.float) * 9.21 / 4), h * (torch.arange(0, 4, 1.0) / 3)
        whole = h * (-numbers / (numbers + 3)), h * (numbers.flip(0).neg() / torch.arange(1, 5).neg())
        return *floats, *powers, *whole, h * torch.div(numbers - 3, 2, rounding_mode="floor")


class Pieces(nn.Module):
    """Parts of the steps whose ends come from the length."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(3, 4, batch_first=True)
        self.means = nn.AdaptiveAvgPool1d(4)
        self.largest = nn.AdaptiveMaxPool1d(3)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        h = self.rnn(x)[0].transpose(1, 2)
        return self.means(h), self.largest(h), F.interpolate(h, size=12).transpose(1, 2)


class EachStep(nn.Module):
    """Norms with weights for each step."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(3, 4, batch_first=True)
        self.batch, self.layer, self.prelu = nn.BatchNorm1d(6), nn.LayerNorm([6, 4]), nn.PReLU(6)
        for parameter in (self.batch.running_mean, *self.batch.parameters(), *self.layer.parameters(),
                          *self.prelu.parameters()):
            parameter.data.uniform_(-1, 1)
        self.batch.running_var.uniform_(0.5, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        h = self.rnn(x)[0]
        return self.batch(h), self.layer(h), self.prelu(h)


class Numbers(nn.Module):
    """Operators with numbers other than the usual ones, and those that several ops make together."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(3, 4, batch_first=True)
        self.groups, self.instance = nn.GroupNorm(2, 4), nn.InstanceNorm1d(4, affine=True)
        for parameter in (*self.groups.parameters(), *self.instance.parameters()):
            parameter.data.uniform_(-1, 1)
        self.weight, self.bias = nn.Parameter(torch.randn(4, 2)), nn.Parameter(torch.randn(2))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        h = self.rnn(x)[0]
        soft = F.softplus(h, beta=2.5) + F.softplus(9 * h, beta=2, threshold=3)
        norms = torch.cat([torch.linalg.vector_norm(h, p, dim=-1, keepdim=True) for p in (1, 3, float("inf"))], -1)
        powers = (h + 2) ** 1.5 + h ** 5 + (h + 2) ** -3 + 2.0 ** h
        marks = (x > 1).any(-1, keepdim=True) * h + (x > -1).all(-1, keepdim=True).float()
        turned = h.transpose(1, 2)
        grouped = self.groups(turned).transpose(1, 2) + self.instance(turned).transpose(1, 2)
        wide = torch.tile(h, (1, 1, 2))[..., 1:5] + h.repeat(1, 1, 3)[..., 3:7]
        return (soft, norms, powers, marks, grouped, wide, h.cumsum(1), h.cumsum(-1), h.unfold(1, 2, 1).mean(-1),
                F.interpolate(turned, scale_factor=2).transpose(1, 2),
                torch.addmm(self.bias, h[:, -1], self.weight, beta=0.5, alpha=2))


class Voice(nn.Module):
    """A voice as a vector of length 1. Scripted, `torch.norm` asks where and how its argument lies."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(3, 4, num_layers=2, batch_first=True)
        self.out = nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        _, (h, _) = self.rnn(x)
        voice = self.out(h[-1])
        return voice / torch.norm(voice, dim=1, keepdim=True)


class PositionIds(Positions):
    """Positions of each sequence of the batch, which are the same for all."""

    def forward(self, ids: Tensor) -> Tensor:
        places = torch.arange(ids.size(1), device=ids.device).unsqueeze(0).expand_as(ids)
        return self.fc(self.rnn(self.embedding(ids) + self.positions(places))[0])


class Causal(nn.Module):
    """A convolution padded at both ends and cut to the input's length, from its start and from within."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(3, 4, 5, padding=4)
        self.rnn = nn.GRU(8, 5, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        z = self.conv(x.transpose(1, 2))
        z = torch.cat((z[:, :, :x.size(1)], z[:, :, 2:x.size(1) + 2]), 1)
        return self.rnn(z.transpose(1, 2))[0]


class StepWeights(nn.Module):
    """Weights of its own for each step. Scripted, they alone tell how many steps there are."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.randn(1, 6, 3))
        self.rnn = nn.LSTM(3, 4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.rnn(x * self.weights)[0][:, -1]


class PermutedState(nn.Module):
    """A decoder of one token, whose attention asks with the state before it, as PyTorch's tutorial has it."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(7, 4)
        self.query, self.key, self.score = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 1)
        self.rnn = nn.GRU(8, 4, batch_first=True)
        self.fc = nn.Linear(4, 7)

    def forward(self, token: Tensor, hidden: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
        query = hidden.permute(1, 0, 2)
        scores = self.score(torch.tanh(self.query(query) + self.key(steps)))
        context = torch.bmm(torch.softmax(scores.squeeze(2).unsqueeze(1), -1), steps)
        y, hidden = self.rnn(torch.cat((self.embedding(token), context), 2), hidden)
        return self.fc(y), hidden


class CausalLayers(nn.Module):
    """A transformer whose steps see those up to their own. A trace has each layer as one call with a mask."""

    def __init__(self) -> None:
        super().__init__()
        self.entry = nn.Linear(3, 4)
        layer = nn.TransformerEncoderLayer(4, 2, 5, dropout=0.0, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, x: Tensor) -> Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(x.size(1))
        return self.layers(self.entry(x), mask=mask, is_causal=True)


class Decoder(nn.Module):
    """Steps that read what the step before answered, in a loop whose rounds are known; a dictionary of answers."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(3, 4, batch_first=True)
        self.cell = nn.GRUCell(3, 4)
        self.fc = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        h = self.rnn(x)[1][0]
        y = x[:, -1]
        steps: list[Tensor] = []
        for i in range(3):
            h = self.cell(y, h)
            y = y + (i + 1) * self.fc(h)
            steps.append(y)
        return {"steps": torch.stack(steps, 1), "state": h}


class Parts(nn.Module):
    """Parts of one size, whose count a trace has in the statement behind; a spectral norm, and signs."""

    def __init__(self) -> None:
        super().__init__()
        self.entry = nn.utils.parametrizations.spectral_norm(nn.Linear(3, 6))
        self.conv = nn.Conv1d(6, 8, 3, padding=1)
        self.rnn = nn.LSTM(2, 4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        a, b, c, d = torch.split(self.conv(self.entry(x).transpose(1, 2)), 2, dim=1)
        z = torch.sigmoid(a) * torch.tanh(b) + c * torch.sign(d) * torch.log1p(d.abs())
        return self.rnn(z.transpose(1, 2))[0]


class Average(nn.Module):
    """A moving average of the steps behind the first, repeated, and before the last, repeated."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.AvgPool1d(5, 1)
        self.rnn = nn.GRU(6, 4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        wide = torch.cat((x[:, :1].repeat(1, 2, 1), x, x[:, -1:].repeat(1, 2, 1)), 1)
        mean = self.pool(wide.transpose(1, 2)).transpose(1, 2)
        return self.rnn(torch.cat((x - mean, mean), -1))[0]


class Window(nn.Module):
    """A window of numbers, which a matrix reads as elements and a network as steps."""

    def __init__(self) -> None:
        super().__init__()
        self.basis = nn.Linear(3, 3)
        self.rnn = nn.GRU(1, 4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.rnn((x - torch.relu(self.basis(x))).unsqueeze(-1))[0][:, -1]


class Smoothed(nn.Module):
    """Exponential smoothing in a loop over the steps, by which these are divided."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.3))
        self.rnn = nn.LSTM(3, 4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        weight = torch.sigmoid(self.weight)
        level = x[:, 0]
        levels = [level]
        for i in range(1, x.size(1)):
            level = weight * x[:, i] + (1 - weight) * level
            levels.append(level)
        return self.rnn(x / (1 + torch.stack(levels, 1).abs()))[0][:, -1] * level[:, :1]


class Largest(nn.Module):
    """The largest of the steps that are no padding: minus infinity elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 4)
        self.rnn = nn.GRU(4, 5, batch_first=True)

    def forward(self, ids: Tensor) -> Tensor:
        y = self.rnn(self.embedding(ids))[0]
        return y.masked_fill((ids == 0).unsqueeze(-1), float("-inf")).max(1).values


class Weighed(nn.Module):
    """The weights of a pool as an answer of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(3, 5, batch_first=True)
        self.score = nn.Linear(5, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y = self.rnn(x)[0]
        weights = torch.softmax(self.score(torch.tanh(y)), dim=1)
        return (weights * y).sum(1), weights.squeeze(-1)


class Squeezed(nn.Module):
    """All axes of size 1 taken away, that of a batch of one sequence among them."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(3, 5, batch_first=True)
        self.fc = nn.Linear(5, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.fc(self.rnn(x)[1].squeeze()).squeeze())


class Asked(nn.Module):
    """Attention whose query is a parameter, with heads; and the largest of the steps, softly."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(3, 4, batch_first=True)
        self.query = nn.Parameter(torch.randn(1, 2, 4))
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        y = self.rnn(x)[0]
        found, _ = self.attention(self.query.expand(x.size(0), -1, -1), y, y)
        return found.flatten(1), torch.logsumexp(y, dim=1), torch.logsumexp(y, dim=-1, keepdim=True)


class Bilinear(nn.Module):
    """Products of the elements of two vectors; steps rounded to 16 bits, which the folder does not round."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(3, 4, batch_first=True)
        self.product = nn.Bilinear(4, 3, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = x.to(torch.bfloat16).float()
        return F.logsigmoid(self.product(self.rnn(x)[0], x))


class Time2Vec(nn.Module):
    """Waves of the input beside it (Kazemi et al., 2019), which are asked whether they are numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.waves = nn.Linear(3, 5)
        self.rnn = nn.LSTM(8, 4, batch_first=True)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        known = torch.nan_to_num(x).masked_fill(torch.isnan(x) | torch.isinf(x), 0.0)
        y = self.rnn(torch.cat([known, torch.sin(self.waves(x) * 5)], dim=-1))[0]
        return y[:, -1], torch.cos(y * 8) * torch.isfinite(x).all(-1, keepdim=True)


class Categories(nn.Module):
    """Categories among the numbers of a step, some of the whole sequence, and what a comparison says."""

    def __init__(self) -> None:
        super().__init__()
        self.day, self.shop = nn.Embedding(5, 3), nn.Embedding(4, 2)
        self.kinds = nn.ModuleList((nn.Embedding(4, 2), nn.Embedding(3, 2)))
        self.sign = nn.Embedding(2, 4)
        self.rnn = nn.LSTM(8, 4, batch_first=True)

    def forward(self, x: Tensor, kinds: Tensor) -> tuple[Tensor, Tensor]:
        ids = x[..., :2].long()
        y = self.rnn(torch.cat([self.day(ids[..., 0]), self.shop(ids[..., 1]), x[..., 2:]], -1))[0]
        of_all = torch.cat([kind(kinds[:, k]) for k, kind in enumerate(self.kinds)], -1)
        return torch.cat([y[:, -1], of_all], -1), y + self.sign((x[..., 2] > 0).long())


class Interactions(nn.Module):
    """Ids that are made of two others, as in knowledge tracing; ids in turn, those of the step before, and the last one."""

    def __init__(self) -> None:
        super().__init__()
        self.both, self.skill = nn.Embedding(40, 3), nn.Embedding(20, 2)
        self.rnn = nn.LSTM(7, 4, batch_first=True)

    def forward(self, q: Tensor, r: Tensor) -> tuple[Tensor, Tensor]:
        before = F.pad(q, (1, 0))[:, :-1]
        y = self.rnn(torch.cat([self.both(q + 20 * r), self.skill(q.flip(1)), self.skill(before)], -1))[0]
        return torch.cat([y[:, -1], self.skill(q[:, -1])], -1), y


class ComputedWeights(nn.Module):
    """Weights that are made of others each time: a kernel by its spectral norm, a network's by a mask."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.utils.parametrizations.spectral_norm(nn.Conv1d(3, 4, 3, padding=1))
        self.rnn = nn.GRU(4, 4, batch_first=True)
        torch.nn.utils.prune.random_unstructured(self.rnn, "weight_hh_l0", 0.5)

    def forward(self, x: Tensor) -> Tensor:
        return self.rnn(self.conv(x.transpose(1, 2)).transpose(1, 2))[0]


MODELS = {
    "tagger": Tagger, "last_states": LastStates, "both_ends": BothEnds, "convolved": Convolved,
    "attention_pool": AttentionPool, "residual": Residual, "halves": Halves, "stateful": Stateful,
    "packed": Packed, "self_attention": SelfAttention, "projected": Projected, "sorted": Sorted,
    "one_hot": OneHot, "image": Image, "flattened": Flattened, "seeded": Seeded,
    "operators": Operators, "vector_steps": VectorSteps, "forecast": Forecast,
    "series": Series, "positions": Positions, "deviation": Deviation,
    "truths": Truths, "attended": Attended, "chosen": Chosen, "masked": Masked, "written": Written,
    "pieces": Pieces, "each_step": EachStep, "numbers": Numbers, "voice": Voice,
    "position_ids": PositionIds, "causal": Causal, "step_weights": StepWeights, "written_end": WrittenEnd,
    "ramps": Ramps, "started": Started, "learned_states": LearnedStates, "written_cells": WrittenCells, "steps_first": StepsFirst, "quotients": Quotients,
    "permuted_state": PermutedState, "causal_layers": CausalLayers,
    "kept": Kept, "spectral": Spectral, "spectral_layer": SpectralLayer,
    "decoder": Decoder, "parts": Parts, "average": Average, "window": Window, "smoothed": Smoothed, "largest": Largest,
    "weighed": Weighed, "squeezed": Squeezed, "asked": Asked, "bilinear": Bilinear, "time2vec": Time2Vec, "categories": Categories,
    "interactions": Interactions, "computed_weights": ComputedWeights,
}
# Not frozen.
NEW = ("truths", "attended", "chosen", "masked", "written", "pieces", "each_step", "numbers", "voice",
       "position_ids", "causal", "step_weights", "written_end", "ramps", "started",
       "learned_states", "written_cells", "steps_first", "quotients", "permuted_state", "causal_layers", "spectral", "spectral_layer",
       "decoder", "parts", "average", "window", "smoothed", "largest",
       "weighed", "squeezed", "asked", "bilinear", "time2vec", "categories", "interactions", "kept", "computed_weights")
# Called without gradients, attention is one call.
ATTENDED = ("attended", "causal_layers")
# Of one length.
FIXED = ("flattened", "positions", "deviation", "pieces", "each_step", "position_ids", "step_weights", "written_end",
         "ramps", "spectral_layer", "smoothed")


def inputs(name: str, batch: int, length: int) -> dict[str, Tensor]:
    """The arguments of `forward`."""
    if name in ("tagger", "both_ends", "one_hot", "operators", "largest"):
        return {"ids": torch.randint(1, 11, (batch, length))}
    if name in ("packed", "sorted"):
        return {"ids": torch.randint(1, 11, (batch, length)),
                "lengths": torch.full((batch,), length)}
    if name == "categories":
        ids = torch.stack([torch.randint(0, n, (batch, length)) for n in (5, 4)], -1)
        kinds = torch.stack([torch.randint(0, n, (batch,)) for n in (4, 3)], -1)
        return {"x": torch.cat([ids, torch.randn(batch, length, 3)], -1), "kinds": kinds}
    if name == "interactions":
        return {"q": torch.randint(0, 20, (batch, length)), "r": torch.randint(0, 2, (batch, length))}
    if name == "chosen":
        return {"x": torch.randn(batch, length, 3), "lengths": torch.full((batch,), length)}
    if name == "masked":
        counts = torch.ones(batch, length, dtype=torch.bool)
        counts[:, length // 2 + 1:] = False
        return {"x": torch.randn(batch, length, 3), "weights": torch.rand(batch, length), "counts": counts}
    if name in ("positions", "position_ids"):
        return {"ids": torch.randint(1, 11, (batch, length))}
    if name == "series":
        return {"x": torch.randn(batch, length, 2), "ids": torch.randint(1, 11, (batch,))}
    if name in ("vector_steps", "window"):
        return {"x": torch.randn(batch, 3)}
    if name == "last_states":
        return {"x": torch.randn(length, batch, 3)}
    if name == "permuted_state":
        return {"token": torch.randint(0, 7, (batch, 1)), "hidden": torch.randn(1, batch, 4),
                "steps": torch.randn(batch, length, 4)}
    x = {"x": torch.randn(batch, length, 12 if name == "image" else 3)}
    if name == "bilinear":
        x = {"x": x["x"].to(torch.bfloat16).float()}
    if name == "steps_first":
        return {"x": torch.randn(length, 1, 2)}
    if name == "written_cells":
        return {"x": torch.randn(batch, 3)} | {n: torch.zeros(batch, 3 if n == "g" else 4) for n in "hcgb"}
    if name == "stateful":
        x |= {"h": torch.randn(1, batch, 4), "c": torch.randn(1, batch, 4)}
    return x


def described(value: Tensor) -> Json:
    """One sequence's input as io.json has it."""
    if value.dtype == torch.bool:
        value = value.unsqueeze(-1).float()
    if value.dtype == torch.int64:
        return {"tokens": value.flatten().tolist()}
    return {"shape": list(value.shape), "values": value.flatten().tolist()}


def fed_back(step: nn.Module, given: dict[str, Tensor], length: int) -> tuple[dict[str, Tensor], Tensor]:
    """The steps of a sequence, and a step's answers to them with its states fed back."""
    steps, answers = torch.randn(length, 3), []
    states = list(given.values())[1:]
    for x in steps:
        answer, *states = step(x[None], *states)
        answers.append(answer)
    return {"x": steps[None]}, torch.stack(answers, 1)


def cases(name: str, model: nn.Module) -> Json:
    found = []
    for length in (6, 6) if name in FIXED else LENGTHS:
        given = inputs(name, 1, length)
        with torch.no_grad():
            if name == "written_cells":
                given, answers = fed_back(model, given, length)
            else:
                answers = model(*given.values())
        answers = tuple(answers.values()) if isinstance(answers, dict) else answers
        answers = answers if isinstance(answers, tuple) else (answers,)
        found.append({
            "inputs": {k: described(v) for k, v in given.items() if k != "lengths"},
            "outputs": {str(i): {"shape": list(y.shape), "values": y.flatten().tolist()}
                        for i, y in enumerate(answers)}})
    return {"torch": torch.__version__, "cases": found}


def without_places(path: Path) -> None:
    """Takes out of an archive of TorchScript what says where the files lay that made it."""
    with zipfile.ZipFile(path) as archive:
        entries = [(entry, archive.read(entry)) for entry in archive.infolist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for entry, content in entries:
            if not entry.filename.endswith(".debug_pkl"):
                archive.writestr(zipfile.ZipInfo(entry.filename), content)


class ScoresOfSteps(nn.Module):
    """Steps scored against each other, which no folder does; of one sequence without its batch it would be elements."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(3, 4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return torch.log_softmax(self.rnn(x)[0], 1)


class Selected(nn.Module):
    """Takes three elements one by one, so that it computes with more as well; the weights' sizes suggest others."""

    def __init__(self) -> None:
        super().__init__()
        self.each = nn.ModuleList([nn.Linear(1, 4) for _ in range(3)])
        self.rnn = nn.LSTM(12, 4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        parts = [layer(x[..., i:i + 1]) for i, layer in enumerate(self.each)]
        return self.rnn(torch.cat(parts, -1))[0]


class MaskedMean(nn.Module):
    """A mean over as many steps as a second input says."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(4, 8, batch_first=True)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        y = self.rnn(x)[0]
        counts = torch.arange(y.size(1))[None, :] < lengths[:, None]
        return (y * counts.unsqueeze(-1)).sum(1) / lengths.unsqueeze(-1)


class SummedLetters(nn.Module):
    """Words as letters; the ids of one sequence without a batch would have as many letters as the table has columns."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 6)
        self.rnn = nn.LSTM(6, 5, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.rnn(self.embedding(x).sum(2))[0]


def write_scripts() -> None:
    """Scripted modules: one of lengths, one that runs with a batch of sequences and can't be carried so, and four whose weights do not tell
    how many elements their input has."""
    for name, model in (("scores_of_steps", ScoresOfSteps()), ("ramps", Ramps()), ("spectral", Spectral()),
                        ("selected", Selected()), ("masked_mean", MaskedMean()), ("letters", SummedLetters())):
        path = ROOT.parent / "torch_scripts" / f"{name}.pt"
        path.parent.mkdir(exist_ok=True)
        torch.jit.script(model.eval()).save(path)
        without_places(path)
        if name in ("spectral", "selected"):
            path.with_suffix(".json").write_text(json.dumps(cases(name, model)) + "\n")


def main() -> None:
    torch.manual_seed(14)
    write_scripts()
    chosen = sys.argv[1:] or list(MODELS)
    for name in chosen:
        folder = ROOT / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        model = MODELS[name]().eval()
        (folder / "io.json").write_text(json.dumps(cases(name, model)) + "\n")
        example = tuple(inputs(name, 2, 6).values())
        # The classes of attention's layers get other names at every trace.
        with torch.set_grad_enabled(name not in ATTENDED):
            torch.jit.trace(model, example, check_trace=name not in ATTENDED, strict=False).save(folder / "traced.pt")
        if name in ("tagger", "last_states", "stateful", "projected", "sorted", "voice", "position_ids", "causal",
                    "step_weights", "written_end", "decoder"):
            torch.jit.script(model).save(folder / "scripted.pt")
        if name not in ("halves", "packed", "image", "operators", "forecast", "series", "positions", "deviation", *NEW):
            torch.jit.freeze(torch.jit.script(model)).save(folder / "frozen.pt")
        for path in folder.glob("*.pt"):
            without_places(path)
        if name == "kept":  # TorchScript does not tell the sizes.
            (folder / "traced.pt").unlink()
        try:
            program = torch.export.export(model, example)
            # They say where the files lay that made it.
            for module in program.graph_module.modules():
                for node in getattr(module, "graph", torch.fx.Graph()).nodes:
                    node.meta.pop("stack_trace", None)
            torch.export.save(program, folder / "exported.pt2")
        except Exception as error:  # PyTorch's exporter does not take every model
            print(f"{name}: no exported.pt2: {str(error).splitlines()[0][:120]}")


if __name__ == "__main__":
    main()
