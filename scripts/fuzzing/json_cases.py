"""Bodies of POST /predict: wrong shapes, types, numbers, options and texts, and mutations of good ones."""

import json
import random
from collections.abc import Iterator
from typing import Any

from fuzzing.case import Case, Expect
from fuzzing.json_oracle import valid
from harness.folders import ModelInput
from harness.http1 import request

Models = dict[str, ModelInput]


def good_bodies(models: Models, source: random.Random, steps: int = 24) -> dict[str, bytes]:
    """A valid body for each model."""
    return {
        name: _bytes({"model": name, "inputs": model.sequence(source, steps)})
        for name, model in models.items()
    }


def cases(models: Models, default: str, source: random.Random, count: int) -> Iterator[Case]:
    """All of them; `count` is how many random ones to add."""
    bodies = [*_texts(), *_options(models, source), *_shapes(models, source), *_numbers(models),
              *_sessions(models, source)]
    for name, body in good_bodies(models, source, 6).items():
        bodies += [(f"{name}, cut at {cut}", body[:cut]) for cut in range(len(body) + 1)]
        bodies += [
            (f"{name}, byte {at} is {byte:#04x}", body[:at] + bytes([byte]) + body[at + 1 :])
            for at in range(len(body)) for byte in (0, 0xFF, 0x22, 0x5D)
        ]
    bodies += _mutations(models, source, count)
    for name, body in bodies:
        expect = Expect.GOOD if valid(body, models, default) else Expect.BAD
        yield Case(f"JSON: {name[:60]}: {body[:60]!r}", [request("/predict", body)], expect,
                   half_close=False)
    for name, body in good_bodies(models, source, 6).items():
        yield Case(f"{name} by its path", [request(f"/models/{name}/predict", body)], Expect.GOOD)
        for other in models:
            if other != name:
                yield Case(f"{name} by another's path", [request(f"/models/{other}/predict", body)])


def _bytes(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _texts() -> Iterator[tuple[str, bytes]]:
    """What is no JSON object, or an odd one."""
    for text in [
        b"", b" ", b"\n", b"null", b"true", b"1", b"\"inputs\"", b"[]", b"{}", b"[{\"inputs\":[1]}]",
        b"{", b"}", b"{]", b"{\"inputs\"}", b"{\"inputs\":}", b"{\"inputs\":[1],}", b"{inputs:[1]}",
        b"{'inputs':[1]}", b"{\"inputs\":[1]}x", b"{\"inputs\":[1]}{}", b"{\"inputs\":[1]}\0",
        b"\xef\xbb\xbf{\"inputs\":[1,2]}", "{\"inputs\":[1]}".encode("utf-16"), b"inputs=1",
        "{\"inputs\":[1]}".encode("utf-16-be"), b"{\"inputs\":[1] /* no */}", b"// no\n{\"inputs\":[1]}",
        b"{\"inputs\":[1,,2]}", b"{\"inputs\":[,1]}", b"{\"inputs\":[1 2]}", b"{\"inputs\":[1,2,]}",
        b"{\"inputs\":[1],\"inputs\":[1]}", b"{\"inputs\":[1],\"\\u0069nputs\":[1]}",
        b"{\"inputs\":[1],\"x\":\"\x01\"}", b"{\"inputs\":[1],\"\xff\":1}", b"{\"inputs\":[1],\"\":1}",
        b"{\"inputs\":[1],\"a\\q\":1}", b"{\"inputs\":[1],\"\\ud800\":1}", b"{\"\\u0000\":1}",
        b"{\"inputs\":[1],\"\xc0\xaf\":1}", b"{\"inputs\":[1],\"\xed\xa0\x80\":1}",
        b"{\"inputs\":[1],\"\xf5\x80\x80\x80\":1}", b"<xml/>", b"\0" * 100, b"\xff" * 100, b"\"",
        b" \t\r\n{ \"inputs\" : [ 1 , 2 ] } \n", b"\x0b{\"inputs\":[1]}", b"{\"inputs\":[1]}\x0c",
    ]:
        yield f"text {text!r}", text
    for depth in (3, 4, 5, 10, 100, 1023, 1024, 1025, 100_000):
        for opening, closing in ((b"[", b"]"), (b"{\"inputs\":", b"}")):
            yield f"{depth} deep {opening!r}", (
                b"{\"inputs\":" + opening * depth + b"1" + closing * depth + b"}")
            yield f"{depth} deep {opening!r}, never closed", b"{\"inputs\":" + opening * depth
            yield f"an option {depth} deep {opening!r}", (
                b"{\"inputs\":[1],\"x\":" + opening * depth + b"1" + closing * depth + b"}")
    yield "many unknown keys", _bytes({str(key): key for key in range(10_000)})
    yield "a long key", b"{\"" + b"k" * 100_000 + b"\":1}"
    yield "a long text", b"{\"inputs\":\"" + b"k" * 100_000 + b"\"}"
    yield "many empty arrays", b"{\"inputs\":[" + b"[]," * 10_000 + b"[]]}"
    yield "many sequences", b"{\"inputs\":[" + b"[1]," * 5_000 + b"[1]]}"
    yield "a long sequence", b"{\"inputs\":[" + b"1," * 70_000 + b"1]}"


def _options(models: Models, source: random.Random) -> Iterator[tuple[str, bytes]]:
    """The members beside `inputs`."""
    values: list[Any] = [
        None, True, False, 0, 1, -1, 2.5, 12.0, 1023, 1024, 1025, 10**9, 10**30, 2**63, -(2**63), "",
        "last", "all", "Last", "none", "12", "f16", [], {}, [1], ["last"], {"a": 1}, "é", "a" * 1000, "\0",
        "../co2", "A" * 99,
    ]
    for name, model in models.items():
        # Short, as the oracle does not know what limits there are on many steps.
        body = {"model": name, "inputs": model.sequence(source, 5)}
        for option in (
            "model", "outputs", "horizon", "state", "return_state", "session", "timeout_ms", "Inputs",
            "input", "instances", "signature_name", "", "__proto__",
        ):
            for value in values:
                yield f"{name}, {option} {value!r:.20}", _bytes(body | {option: value})
        if model.forecasts:
            for value in (3.4e38, -3.4e38, 1e38, -1e38, 1e30):
                inputs = [value] * 3 if model.size == 1 else [[value] * model.size] * 3
                yield f"{name}, {value}", _bytes(body | {"inputs": inputs, "horizon": 1000})
                yield f"{name}, {value}", _bytes(body | {"inputs": [*inputs, *reversed(inputs)]})
        forms: list[Any] = ["last", "all", None, "none", 1, []]
        by_name = [{output: form} for output in (*model.outputs, "", "h") for form in forms]
        for outputs in ("last", "all", *by_name):
            yield f"{name}, outputs {outputs!r:.40}", _bytes(body | {"outputs": outputs})
            yield f"{name}, {outputs!r:.40} and horizon", _bytes(body | {"outputs": outputs, "horizon": 2})


def _sessions(models: Models, source: random.Random) -> Iterator[tuple[str, bytes]]:
    """What begins sessions, each with a name of its own, and what is no session."""
    for name, model in models.items():
        one, count = model.sequence(source, 3), 0

        def begin(**members: Any) -> dict[str, Any]:
            nonlocal count
            count += 1
            # Ends at once, so that none is there to go on with.
            return {"id": f"{name}:{count}", "begin": True, "end": True} | members

        singles: list[Any] = [
            begin(), begin(wait=True), begin(wait=False), begin(begin=False), begin(begin=None),
            begin(begin=1), begin(end="true"), begin(end=None), begin(wait=0), begin(fork="x"),
            begin(fork=None), begin(fork="a b"), begin(id=""), begin(id=None), begin(id=7), begin(id="é"),
            begin(id="a/b"), begin(id="a b"), begin(id="a\0"), begin(id="%41"), begin(id="."), begin(id=".."),
            begin(id=f"{name}-._~:{'k' * (120 - len(name))}"), begin(id="k" * 129), begin(other=1), {},
            begin(replace=True), begin(replace=1), begin(at=0), begin(at="1"), {"id": "none", "replace": True},
            {"id": "none", "at": 3}, {"id": "none", "at": -1}, {"begin": True}, {"id": "none"},
            {"id": "none", "fork": "none"}, "none", "", [begin()], [None],
        ]
        for number, session in enumerate(singles):
            yield f"{name}, session {number}", _bytes({"model": name, "inputs": one, "session": session})
            yield f"{name}, session {number} beside a state", _bytes(
                {"model": name, "inputs": one, "session": session, "state": "AAAA"})
        again = begin()
        arrays: list[Any] = [
            [begin(), begin(), begin()], [begin(), None, begin()], [None] * 3, [begin()], [begin()] * 4,
            [again, begin(), again], [None, None, "none"], [1, 2, 3], [[begin()], None, None], begin(), "none",
        ]
        for number, sessions in enumerate(arrays):
            yield f"{name}, sessions {number}", _bytes(
                {"model": name, "inputs": [one] * 3, "session": sessions})
        if model.forecasts:
            yield f"{name}, session and horizon", _bytes(
                {"model": name, "inputs": one, "horizon": 2, "return_state": True, "session": begin()})


def _shapes(models: Models, source: random.Random) -> Iterator[tuple[str, bytes]]:
    """Depths, ranks, types and lengths of `inputs`."""
    for name, model in models.items():
        one = model.sequence(source, 4)
        two = model.sequence(source, 2)
        vector = [1.0] * model.size if model.kind != "tokens" else [1]
        shapes: list[Any] = [
            one, [one], [one, two], [[one]], [[one, two]], [[[one]]], [[[[one]]]], [], [[]], [[[]]],
            [[[[]]]], [one, []], [[], one], {}, None, True, 1, 1.5, "", "a", "\u0000", "é" * 10, ["a"],
            ["a", 1], [1, "a"], [1, None], [None], [True], [1, True], [1, [1]], [[1], 1], [[1], [1, 2]],
            [[[1]], [1]], [[1], [[1]]], [[[1]], [[1, 2]]], [{}], [1, {}], [[1, {}]], [{"x": 1}], vector,
            [vector], [[vector]], [vector, vector[:-1]], [vector, [*vector, 1]], [[vector], [vector[1:]]],
            [vector, [None] * model.size], [vector, "a"], [one, None], [one, 1], ["a", []], [[], "a"],
            {model.name_of_input: one}, {model.name_of_input: [one, two]}, {model.name_of_input: None},
            {model.name_of_input: {model.name_of_input: one}}, {"other": one},
            {model.name_of_input: one, "other": one}, {"": one}, [[1], []], [[1], None], [["a"]], [[True]],
            [[[1, 2], [3]]], [[1, 2], [3, [4]]], [[1, 2], 3, [4]], [[[1], [2]], [[3], []]],
        ]
        for number, inputs in enumerate(shapes):
            yield f"{name}, shape {number}", _bytes({"model": name, "inputs": inputs})


def _numbers(models: Models) -> Iterator[tuple[str, bytes]]:
    """Spellings and sizes of one number among others."""
    for name, model in models.items():
        for number in [
            "NaN", "nan", "Infinity", "-Infinity", "inf", "1e999", "-1e999", "1e39", "-1e39",
            "3.4028234663852886e38", "3.4028236e38", "1e308", "1e-999",
            "1e-46", "1e-40", "5e-324", "-0", "0", "-0.0", "00", "01", "-01", "+1", "-", "--1", ".5",
            "5.", "-.5", "1e", "1e+", "1e+1", "1E5", "0x10", "1_000", "1,5", "0b1", "1f", "0e0",
            "1" * 38, "9" * 39, "1" * 400, "1" * 5000, "0." + "1" * 5000, "1e" + "9" * 400,
            "1e-" + "9" * 17, "18446744073709551615", "18446744073709551616", "-9223372036854775809",
            "1e1000000000000", "\u0661", "1\u00a0", "\"1\"", "1.0", "1.5", "1e0", "0.99999999999",
            "1.0000000001", "2147483648", "-1", "-2147483649", "4294967296", "1e10", "null",
        ]:
            size = 1 if model.kind == "tokens" else model.size
            steps = [",".join(["1"] * at + [number] + ["1"] * (size - at - 1)) for at in (0, size - 1)]
            for step in steps:
                flat = size == 1
                text = f"1,{step}" if flat else f"[{','.join(['1'] * size)}],[{step}]"
                yield f"{name}, number {number[:12]}", (
                    f'{{"model":"{name}","inputs":[{text}]}}'.encode())
                yield f"{name}, first number {number[:12]}", (
                    f'{{"model":"{name}","inputs":[{step if flat else f"[{step}]"}]}}'.encode())


def _mutations(models: Models, source: random.Random, count: int) -> Iterator[tuple[str, bytes]]:
    """Good bodies with a few bytes or tokens changed, dropped, doubled or swapped."""
    seeds = [*good_bodies(models, source, 5).values()]
    seeds += [
        _bytes({"model": name, "inputs": [model.sequence(source, 2), model.sequence(source, 3)],
                "outputs": "last"})
        for name, model in models.items()
    ]
    tokens = [
        b"[", b"]", b"{", b"}", b",", b":", b"\"", b"[]", b"{}", b"null", b"true", b"-", b"1e999", b"NaN",
        b"0", b"\\", b"\\u0000", b"\xff", b"\0", b" ", b".", b"e", b"\"inputs\":", b"[[", b"]]", b"1,",
    ]
    for number in range(count):
        data = bytearray(source.choice(seeds))
        for _ in range(source.choice((1, 1, 1, 2, 3, 5))):
            at = source.randrange(len(data) + 1)
            match source.randrange(6):
                case 0:
                    data[at : at + 1] = bytes([source.randrange(256)])
                case 1:
                    data[at:at] = source.choice(tokens)
                case 2:
                    data[at : at + 1] = source.choice(tokens)
                case 3:
                    del data[at : at + source.randint(1, 6)]
                case 4:
                    data[at:at] = data[at : at + source.randint(1, 40)]
                case _:
                    data[at:at] = source.choice(seeds)[at : at + source.randint(1, 40)]
        yield f"mutation {number}", bytes(data)
