"""Tells valid bodies of POST /predict from others, independently of the server."""

import json
import math
import re
import struct
from decimal import Decimal
from typing import Any

from harness.folders import ModelInput

# The server's defaults: max_horizon, max_sequences_per_request, max_sequence_steps.
MAX_HORIZON, MAX_SEQUENCES, MAX_STEPS = 1024, 1024, 65536
MAX_TIMEOUT = 86_400_000
MEMBERS = {"inputs", "model", "outputs", "horizon", "timeout_ms", "state", "return_state", "session"}
SESSION_MEMBERS = {"id", "begin", "fork", "replace", "at", "end", "wait"}
# No dot segment of a path.
SESSION_ID = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._~:-]{1,128}")


class Number(float):
    """A number that was written with a point or an exponent, and as it was written."""

    def __new__(cls, text: str) -> "Number":
        number = super().__new__(cls, text)
        number.text = text
        return number


class Refused(Exception):
    """The body is none that the server may take."""


def valid(body: bytes, models: dict[str, ModelInput], default: str) -> bool:
    """Whether the server must answer 200; else it must refuse."""
    try:
        question = _parse(body)
        if not isinstance(question, dict) or set(question) - MEMBERS:
            return False
        # An option that is null is left out.
        question = {key: value for key, value in question.items() if value is not None or key == "inputs"}
        name = question.get("model", default)
        if not isinstance(name, str) or name not in models:
            return False
        model = models[name]
        return (
            _options(question, model)
            and _inputs(question["inputs"], model)
            and _sessions(question.get("session"), _sequence_count(question["inputs"], model))
        )
    except (Refused, KeyError, ValueError, OverflowError, RecursionError):
        return False


def _parse(body: bytes) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise Refused
        return dict(pairs)

    def constant(_: str) -> Any:
        raise Refused

    parsed = json.loads(body.decode("utf-8"), object_pairs_hook=unique, parse_float=Number, parse_constant=constant)
    json.dumps(parsed, ensure_ascii=False).encode("utf-8")  # refuses halves of surrogate pairs
    return parsed


def _options(question: dict[str, Any], model: ModelInput) -> bool:
    if "horizon" in question:
        if not _is_whole(question["horizon"], MAX_HORIZON) or not model.forecasts:
            return False
    if "timeout_ms" in question and not _is_whole(question["timeout_ms"], MAX_TIMEOUT):
        return False
    # Nobody who does not know the server's key makes a state; every model here is one that returns them.
    if question.get("state") is not None:
        return False
    if "return_state" in question:
        wanted = question["return_state"]
        if not isinstance(wanted, bool) and wanted not in ("f32", "f16"):
            return False
    if "outputs" in question:
        wanted = question["outputs"]
        # By name, or the same of all; what an object leaves out, or says nothing of, is as it is without.
        forms = wanted.values() if isinstance(wanted, dict) else [wanted]
        if isinstance(wanted, dict) and not set(wanted) <= set(model.outputs):
            return False
        if any(form not in ("last", "all") for form in forms if form is not None):
            return False
        if "all" in forms and ("horizon" in question or model.pooled):
            return False
    return True


def _is_whole(value: Any, most: int, least: int = 1) -> bool:
    """Whether it is a whole number, however written, from `least` to `most`."""
    if not _is_number(value) or not least <= value <= most:
        return False
    exact = Decimal(value.text) if isinstance(value, Number) else value
    return least <= exact <= most and exact == int(exact)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _inputs(inputs: Any, model: ModelInput) -> bool:
    if isinstance(inputs, dict):
        if set(inputs) != {model.name_of_input}:
            return False
        inputs = inputs[model.name_of_input]
    depth, first = 0, inputs
    while isinstance(first, list) and first and depth < 4:
        first, depth = first[0], depth + 1
    if model.kind == "tokens" and isinstance(first, str):
        texts = [inputs] if depth == 0 else inputs
        return depth <= 1 and bool(model.vocabulary) and all(
            isinstance(text, str) and text and set(text) <= set(model.vocabulary) for text in texts
        )
    if not _is_number(first):
        return False
    flat = model.kind == "tokens" or model.size == 1
    if flat and depth == 1:
        return _steps([[value] for value in inputs], model, 1)
    if flat and depth == 2:
        return len(inputs) <= MAX_SEQUENCES and all(
            isinstance(one, list) and _steps([[value] for value in one], model, 1) for one in inputs
        )
    size = 1 if flat else model.size
    if depth == 3 and len(inputs) > MAX_SEQUENCES:
        return False
    if depth == 3:
        return all(_steps(one, model, size) for one in inputs)
    return depth == 2 and _steps(inputs, model, size)


def _sequence_count(inputs: Any, model: ModelInput) -> int | None:
    """How many sequences there are in an array of them; None where `inputs`, which are valid, are one alone."""
    if isinstance(inputs, dict):
        inputs = inputs[model.name_of_input]
    depth, first = 0, inputs
    while isinstance(first, list):
        first, depth = first[0], depth + 1
    if isinstance(first, str):
        alone = 0
    else:
        alone = 1 if model.kind == "tokens" or model.size == 1 else 2
    return len(inputs) if depth > alone else None


def _sessions(session: Any, count: int | None) -> bool:
    """Whether all begin: no body here goes on with what another left, and every model here has states."""
    if session is None:
        return True
    uses = [session] if count is None else session
    if not isinstance(uses, list) or len(uses) != (count or 1):
        return False
    names = set()
    for use in uses:
        if use is None:
            continue
        if not isinstance(use, dict) or set(use) - SESSION_MEMBERS:
            return False
        use = {key: value for key, value in use.items() if value is not None}
        name = use.get("id")
        if not isinstance(name, str) or not SESSION_ID.fullmatch(name) or name in names:
            return False
        names.add(name)
        if not all(isinstance(use.get(flag, False), bool) for flag in ("begin", "replace", "end", "wait")):
            return False
        if use.get("begin") is not True or "fork" in use or "at" in use:
            return False
    return True


def _steps(steps: Any, model: ModelInput, size: int) -> bool:
    if not isinstance(steps, list) or not 1 <= len(steps) <= MAX_STEPS:
        return False
    for step in steps:
        if not isinstance(step, list) or len(step) != size:
            return False
        for value in step:
            if not _is_number(value):
                return False
            # Rounds to the nearest f32, and refuses what would be infinite.
            number = struct.unpack("<f", struct.pack("<f", float(value)))[0]
            if not math.isfinite(number):
                return False
            if model.kind == "tokens" and not _is_whole(value, model.size - 1, least=0):
                return False
    return True
