"""Makes Tests/Fixtures/torch_imports: a small random tagger in every form that its weights are saved in, with PyTorch's outputs.

Each folder holds the file as it was saved (weights.*), what is given with it (graph.json, names.json) where its graph can't
be guessed, and io.json as ops.py has it: what PyTorch answers with the weights as stored, in float32.

Use: python torch_imports.py (PyTorch 2.15, NumPy, safetensors, JAX 0.10)
"""

import collections
import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

ROOT = Path(__file__).resolve().parents[1] / "torch_imports"
LENGTHS = (1, 2, 7)
Json = dict[str, Any]
Tensors = dict[str, Tensor]


class Tagger(nn.Module):
    """Ids to a recurrent network to scores of every step."""

    def __init__(self, kind: type = nn.LSTM, **options: Any) -> None:
        super().__init__()
        options = {"bidirectional": True} | options
        self.embedding = nn.Embedding(11, 4)
        self.rnn = kind(4, 5, batch_first=True, **options)
        size = (options.get("proj_size") or 5) * (2 if options["bidirectional"] else 1)
        self.fc = nn.Linear(size, 3)

    def forward(self, ids: Tensor) -> Tensor:
        return self.fc(self.rnn(self.embedding(ids))[0])


class CellTagger(nn.Module):
    """The same by an LSTMCell, a step at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 4)
        self.cell = nn.LSTMCell(4, 5)
        self.fc = nn.Linear(5, 3)

    def forward(self, ids: Tensor) -> Tensor:
        state = None
        answers = []
        for step in self.embedding(ids).unbind(1):
            state = self.cell(step, state)
            answers.append(self.fc(state[0]))
        return torch.stack(answers, 1)


class Deep(nn.Module):
    """Features to a GRU to two linear maps with a relu between them; a convolution normalised by its length before."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(3, 5, batch_first=True)
        self.head = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.utils.weight_norm(nn.Linear(4, 2)))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rnn(x)[0])


class WeightDrop(nn.Module):
    """The recurrent weights under another name, from which training drops some, as fastai's and AWD-LSTM's has them."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        raw = module.weight_hh_l0.detach()
        del module._parameters["weight_hh_l0"]
        self.weight_hh_l0_raw = nn.Parameter(raw)

    def forward(self, x: Tensor) -> Any:
        self.module.weight_hh_l0 = self.weight_hh_l0_raw
        return self.module(x)


class Learner:
    """What trains a module, and has it in an attribute, as fastai's Learner and skorch's NeuralNet do."""

    def __init__(self, model: nn.Module) -> None:
        self.epochs = [1, {"loss": nn.CrossEntropyLoss()}]
        self._modules = ["model"]
        self.model = model


def case(model: nn.Module) -> Json:
    """What the model answers for sequences of some lengths."""
    cases = []
    for length in LENGTHS:
        if hasattr(model, "embedding"):
            value = torch.randint(11, (length,))
            inputs: Json = {"ids": {"tokens": value.tolist()}}
        else:
            value = torch.randn(length, 3)
            inputs = {"x": {"shape": list(value.shape), "values": value.flatten().tolist()}}
        with torch.no_grad():
            y = model(value[None])[0]
        name = "head.2" if isinstance(model, Deep) else "fc"
        cases.append({"inputs": inputs,
                      "outputs": {name: {"shape": list(y.shape), "values": y.flatten().tolist()}}})
    return {"torch": torch.__version__, "cases": cases}


def write(name: str, model: nn.Module, ending: str, save: Any, **beside: Json) -> None:
    """A folder with the file that `save(path)` writes."""
    folder = ROOT / name
    folder.mkdir(parents=True)
    save(folder / f"weights.{ending}")
    (folder / "io.json").write_text(json.dumps(case(model)) + "\n")
    for key, value in beside.items():
        (folder / f"{key}.json").write_text(json.dumps(value, indent=1) + "\n")


def rounded(model: Tagger, dtype: torch.dtype) -> tuple[Tagger, Tensors]:
    """A model with weights that the type holds, and these in that type."""
    state = {k: v.to(dtype) for k, v in model.state_dict().items()}
    model.load_state_dict({k: v.float() for k, v in state.items()})
    return model, state


def saved(value: Any, **options: Any) -> Any:
    return lambda path: torch.save(value, path, **options)


def pickled(value: Any, protocol: int) -> Any:
    return lambda path: path.write_bytes(pickle.dumps(value, protocol))


def arrays(state: Tensors) -> dict[str, np.ndarray]:
    return {k: v.detach().numpy() for k, v in state.items()}


def strided(state: Tensors) -> Tensors:
    """The same tensors as views: transposed, at offsets of one storage, every second element, and one repeated."""
    whole = torch.cat([v.flatten() for v in state.values()])
    views: Tensors = {}
    at = 7
    shared = torch.cat([torch.zeros(7), whole])
    for index, (name, value) in enumerate(state.items()):
        if value.dim() == 2 and index % 2 == 0:
            views[name] = value.t().contiguous().t()
        elif index % 3 == 0:
            spread = torch.zeros(2 * value.numel())
            spread[::2] = value.flatten()
            views[name] = spread[::2].view(value.shape)
        else:
            views[name] = shared[at:at + value.numel()].view(value.shape)
        at += value.numel()
    assert all(torch.equal(views[k], state[k]) for k in state)
    return views


def keras(model: Tagger) -> dict[str, np.ndarray]:
    """A one-directional GRU tagger's weights as Keras has them: transposed, gates z r n."""
    def gates(w: Tensor) -> np.ndarray:
        r, z, n = w.detach().chunk(3)
        return torch.cat([z, r, n]).numpy()
    rnn = model.rnn
    return {
        "embedding/embeddings:0": model.embedding.weight.detach().numpy(),
        "gru/gru_cell/kernel:0": gates(rnn.weight_ih_l0).T,
        "gru/gru_cell/recurrent_kernel:0": gates(rnn.weight_hh_l0).T,
        "gru/gru_cell/bias:0": np.stack([gates(rnn.bias_ih_l0), gates(rnn.bias_hh_l0)]),
        "fc/kernel:0": model.fc.weight.detach().numpy().T,
        "fc/bias:0": model.fc.bias.detach().numpy(),
    }


def graph(op: str, **attributes: Any) -> Json:
    """The tagger's graph, with tensors under the prefix `net`."""
    return {
        "format": "carousel/1", "name": "tagger", "version": "1",
        "inputs": [{"name": "ids", "kind": "tokens", "size": 11}],
        "nodes": [{"name": "e", "op": "embedding", "inputs": ["ids"], "weights": "embedding"},
                  {"name": "rnn", "op": op, "inputs": ["e"]} | attributes,
                  {"name": "fc", "op": "linear", "inputs": ["rnn"]}],
        "outputs": [{"name": "fc"}]}


def main() -> None:
    torch.manual_seed(13)
    shutil.rmtree(ROOT, ignore_errors=True)
    tagger = Tagger()
    state = collections.OrderedDict(tagger.state_dict())
    write("statedict", tagger, "pt", saved(state))
    write("legacy", tagger, "pth", saved(state, _use_new_zipfile_serialization=False))
    write("protocol4", tagger, "bin", saved(dict(state), pickle_protocol=4))
    write("dataparallel", tagger, "pt", saved(nn.DataParallel(tagger).state_dict()))
    write("compiled", tagger, "pt", saved({f"_orig_mod.module.{k}": v for k, v in state.items()}))
    optimiser = torch.optim.Adam(tagger.parameters())
    tagger(torch.zeros(1, 2, dtype=torch.long)).sum().backward()
    optimiser.step()
    state = collections.OrderedDict(tagger.state_dict())
    write("checkpoint", tagger, "ckpt", saved({
        "epoch": 3, "state_dict": {f"model.{k}": v for k, v in state.items()},
        "optimizer_states": [optimiser.state_dict()], "best": torch.tensor(0.5),
        "ema": {"model." + k: v * 0 for k, v in state.items()},
        "hyper_parameters": {"path": Path("somewhere"), "sizes": (4, 5)}}))
    write("beside_optimizer", tagger, "pt", saved((state, optimiser.state_dict(), 3)))
    write("nested", tagger, "pt", saved({
        "config": {"hidden": 5}, "net": {"model_state_dict": state}, "step": 10**30}))
    parts = {"embedding": {"weight": state["embedding.weight"]},
             "rnn": {k[4:]: v for k, v in state.items() if k.startswith("rnn.")},
             "fc": {k[3:]: v for k, v in state.items() if k.startswith("fc.")}}
    write("by_module", tagger, "pt", saved(parts))
    tag = torch.serialization.location_tag
    torch.serialization.location_tag = lambda storage: "cuda:0"
    write("cuda", tagger, "pt", saved(state))
    torch.serialization.location_tag = tag
    write("strided", tagger, "pt", saved(strided(state)))
    write("strided_legacy", tagger, "pt",
          saved(strided(state), _use_new_zipfile_serialization=False))
    write("parameters", tagger, "pt", saved(dict(tagger.named_parameters())))
    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        model, tensors = rounded(Tagger(), dtype)
        write(str(dtype).removeprefix("torch."), model, "pt", saved(tensors))
    whole = Tagger()
    write("whole_module", whole, "pt", saved(whole), graph=graph("lstm"))
    write("safetensors", tagger, "safetensors",
          lambda path: safetensors.torch.save_file(dict(state), path))
    for protocol in (0, 2, 4, 5):
        write(f"arrays{protocol}", tagger, "pkl", pickled(arrays(state), protocol))
    write("arrays_npy", tagger, "npy",
          lambda path: np.save(path, np.array(arrays(state), dtype=object), allow_pickle=True))
    fortran = {k: np.asfortranarray(v).astype(">f8") for k, v in arrays(state).items()}
    write("arrays_fortran", tagger, "pkl", pickled(fortran, 4))
    write("pickled_tensors", tagger, "pkl", pickled(dict(state), 2))
    write("npz", tagger, "npz", lambda path: np.savez(path, **arrays(state)))
    write("npz_compressed", tagger, "npz",
          lambda path: np.savez_compressed(path, labels=np.array(["a", "b"]), **fortran_order(state)))
    gru = Tagger(nn.GRU, bidirectional=False)
    write("gru", gru, "pt", saved(gru.state_dict()))
    write("keras_names", gru, "npz", lambda path: np.savez(path, **keras(gru)))
    own = {"emb": "embedding.weight", "w_x": "rnn.weight_ih_l0", "w_h": "rnn.weight_hh_l0",
           "b_x": "rnn.bias_ih_l0", "b_h": "rnn.bias_hh_l0", "out.w": "fc.weight",
           "out.b": "fc.bias"}
    write("own_names", gru, "npz",
          lambda path: np.savez(path, extra=np.zeros(3, np.float32),
                                **{k: arrays(gru.state_dict())[v] for k, v in own.items()}),
          names={"emb": "embedding.weight", "w_x": "rnn.weight_ih_l0", "w_h": "rnn.weight_hh_l0",
                 "b_x": "rnn.bias_ih_l0", "b_h": "rnn.bias_hh_l0", "out.w": "fc.weight",
                 "out.b": "fc.bias", "extra": None})
    relu = Tagger(nn.RNN, nonlinearity="relu", num_layers=2)
    write("rnn_graph", relu, "pt", saved({"model": relu.state_dict()}),
          graph=graph("rnn", activation="relu"))
    model_rnn = Tagger(nn.RNN)
    write("rnn", model_rnn, "pt", saved(model_rnn.state_dict()))
    projection = Tagger(nn.LSTM, proj_size=2, num_layers=2)
    write("projection", projection, "pt", saved(projection.state_dict()))
    bare = Tagger(nn.LSTM, bias=False, num_layers=3, bidirectional=False)
    write("without_biases", bare, "pt", saved(bare.state_dict()))
    cell = CellTagger()
    write("cell", cell, "pt", saved(cell.state_dict()))
    labelled = Tagger()
    field = {"crf.start_transitions": torch.randn(3), "crf.end_transitions": torch.randn(3),
             "crf.transitions": torch.randn(3, 3)}
    write("crf", labelled, "pt", saved({
        "model_state_dict": labelled.state_dict() | field,
        "char2id": {chr(97 + i): i for i in range(11)}, "label2id": {"P": 0, "S": 1, "X": 2},
        "id2label": {0: "P", 1: "S", 2: "X"}, "config": {"hidden_dim": 5}, "best": 0.99}))
    deep = Deep()
    write("weight_norm", deep, "pt", saved(deep.state_dict()))
    write("jax", tagger, "pkl", pickled({k: jnp.asarray(v) for k, v in arrays(state).items()}, 4))
    # As Keras's get_weights() has them: arrays without names.
    unnamed = np.empty(len(state), dtype=object)
    unnamed[:] = list(arrays(state).values())
    write("arrays_list", tagger, "npy", lambda path: np.save(path, unnamed, allow_pickle=True),
          names={str(i): k for i, k in enumerate(state)})
    legacy = {"_use_new_zipfile_serialization": False}
    write("legacy_protocol4", tagger, "pt", saved(dict(state), pickle_protocol=4, **legacy))
    # The legacy format has the source of each module's class beside it; here it is left out.
    torch.serialization.get_source_lines_and_file = None
    write("legacy_module", whole, "pt", saved(whole, **legacy), graph=graph("lstm"))
    write("learner", whole, "pt", saved(Learner(whole)), graph=graph("lstm"))
    write("learner_pickle", whole, "pkl", pickled(Learner(whole), 4), graph=graph("lstm"))
    dropped = Tagger(bidirectional=False)
    dropped.rnn = WeightDrop(dropped.rnn)
    write("weight_drop", dropped, "pth", saved({"model": dropped.state_dict(), "opt": {}}))
    pruned = Tagger()
    prune.l1_unstructured(pruned.rnn, "weight_hh_l0_reverse", 0.4)
    prune.ln_structured(pruned.fc, "weight", 0.4, n=2, dim=0)
    write("pruned", pruned, "pt", saved(pruned.state_dict()))
    for name, norm in (("spectral_norm", nn.utils.spectral_norm),
                       ("spectral_parametrization", nn.utils.parametrizations.spectral_norm)):
        normed = Tagger(nn.GRU, bidirectional=False).eval()
        norm(normed.rnn, "weight_ih_l0")
        norm(normed.fc)
        write(name, normed, "pt", saved(normed.state_dict()))


def fortran_order(state: Tensors) -> dict[str, np.ndarray]:
    return {k: np.asfortranarray(v) for k, v in arrays(state).items()}


if __name__ == "__main__":
    main()
