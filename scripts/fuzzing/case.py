"""What a case is, and when an answer to it is a clear one."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from harness import http2
from harness.http1 import PATIENCE, Answers, converse


class Expect(Enum):
    """What the last answer to a case may be."""

    GOOD = "200"
    BAD = "4xx"
    # The bytes may have stayed a valid request.
    EITHER = "200 or 4xx"
    # Nothing can be answered to half a request, but a 4xx may come.
    BAD_OR_CLOSED = "4xx or a close"
    ANY = "200, 4xx or a close"


def clear(status: int, content_type: str | None, body: bytes) -> str | None:
    """What is wrong with a refusal; None when it is a 4xx, or tells of what HTTP allows and the
    server does not do, and explains itself in JSON."""
    if not 400 <= status < 500 and status not in (501, 505):
        return f"status {status}"
    if content_type is not None and not content_type.startswith("application/json"):
        return f"status {status} of type {content_type!r}"
    try:
        error = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError) as flaw:
        return f"status {status} without JSON that says why ({flaw!r}): {body[:200]!r}"
    return None if isinstance(error, str) and error else f"status {status}, error {error!r}"


@dataclass(frozen=True)
class Case:
    """Bytes for a connection over HTTP/1.1, and what may come back."""

    name: str
    pieces: Sequence[bytes]
    expect: Expect = Expect.BAD
    # The statuses of the answers before the last; others are wrong.
    before: Sequence[int] = ()
    # The one status that the last answer must have, where only one fits.
    status: int | None = None
    half_close: bool = True
    to_head: bool = False
    pause: float = 0
    # Where True, a refusal must end the connection: what follows can't be told from a request.
    closes: bool = False

    def flaw(self, port: int) -> str | None:
        """Sends the case; says what is wrong with the answers."""
        answers = converse(
            port, self.pieces, half_close=self.half_close, pause=self.pause, to_head=self.to_head,
            responses=0 if self.half_close or self.closes else len(self.before) + 1,
        )
        return self.judge(answers)

    def judge(self, answers: Answers) -> str | None:
        """What is wrong with `answers`."""
        if answers.end == "silent" or answers.end.startswith("malformed"):
            return f"{answers.end} after {[each.status for each in answers.responses]}"
        statuses = [each.status for each in answers.responses]
        if self.expect in (Expect.BAD_OR_CLOSED, Expect.ANY) and len(statuses) == len(self.before):
            return None if statuses == list(self.before) else f"answers {statuses}, then a close"
        if len(statuses) != len(self.before) + 1:
            return f"{len(self.before) + 1} answers expected, found {statuses}, then {answers.end}"
        if statuses[:-1] != list(self.before):
            return f"statuses {statuses}, expected {list(self.before)} before the last"
        last = answers.responses[-1]
        if self.status is not None and last.status != self.status:
            return f"status {last.status} ({last.body[:160]!r}), expected {self.status}"
        return wrong(self.expect, last.status, last.fields.get("content-type"), last.body,
                     to_head=self.to_head)


def wrong(
    expect: Expect, status: int, content_type: str | None, body: bytes, *, to_head: bool = False
) -> str | None:
    """What is wrong with an answer that should be as `expect` says."""
    if 200 <= status < 300:
        if expect in (Expect.BAD, Expect.BAD_OR_CLOSED):
            return f"status {status}, expected {expect.value}; body {body[:160]!r}"
        return None
    if expect is Expect.GOOD:
        return f"status {status}, expected 200; body {body[:200]!r}"
    if to_head:
        return None if 400 <= status < 500 or status in (501, 505) else f"status {status}"
    return clear(status, content_type, body)


@dataclass(frozen=True)
class FrameCase:
    """Bytes for a connection over HTTP/2, after a good preface unless `preface` is False.

    The server may answer stream 1, reset it, or end the connection; with `error` it must do one of
    the last two. `stream` is where the answer is awaited.
    """

    name: str
    data: bytes
    expect: Expect = Expect.BAD_OR_CLOSED
    preface: bool = True
    error: bool = False
    half_close: bool = False

    def flaw(self, port: int) -> str | None:
        """Sends the case; says what is wrong with the answers."""
        session = http2.Session(port, PATIENCE)
        try:
            if self.preface:
                session.open()
            session.wire.send(self.data)
            if self.half_close:
                session.wire.half_close()
            session.until_done(1)
        finally:
            session.close()
        if session.end == "silent":
            return "silent: no answer, reset or GOAWAY"
        if session.end.startswith("malformed"):
            return session.end
        reply = session.replies.get(1)
        ended = session.end in ("closed", "reset") or session.goaway is not None
        if reply is None or not reply.ended:
            if self.expect in (Expect.GOOD, Expect.BAD) and not self.error:
                return f"no answer, expected {self.expect.value}"
            return None if ended or reply and reply.reset is not None else "neither answer nor end"
        if self.error:
            return f"status {reply.status}, expected a reset or the connection's end"
        return wrong(self.expect, reply.status, None, reply.body)
