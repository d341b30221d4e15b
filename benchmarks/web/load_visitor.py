"""A visitor of the web chat without a browser: what the page sends and gets, over HTTP."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import escape
from typing import Any
from uuid import uuid4

import httpx
from gradio_client.utils import apply_diff  # type: ignore[import-untyped]

API = "/gradio_api"
LONGEST = 900.0  # seconds that a question may take before it counts as hung
_AHEAD = re.compile(r"(\d+) answers? (?:is|are) written before yours")
_STATE = re.compile(r'class="exchange (\w+)"')


@dataclass
class Asked:
    """One question and what was seen of it; seconds since it was sent."""

    question: str
    begun: float = field(default_factory=time.perf_counter)
    evidence: float | None = None
    turn: float | None = None  # when nobody was ahead any more
    done: float | None = None
    places: list[int] = field(default_factory=list)  # how many were ahead, as it changed
    outcome: str = "hung"  # answered, stopped, failed, declined by the server, mixed up

    def since(self) -> float:
        return time.perf_counter() - self.begun

    def see(self, html: str) -> None:
        """Take in the exchange as the page shows it now."""
        if escape(self.question) not in html:
            self.outcome = "mixed up"
        if self.evidence is None and 'class="sentence"' in html:
            self.evidence = self.since()
        found = _AHEAD.search(html)
        ahead = int(found[1]) if found else 0
        if ahead != (self.places[-1] if self.places else 0):
            self.places.append(ahead)
            self.turn = self.since() if ahead == 0 else None
        if 'aria-busy="false"' in html and self.outcome != "mixed up":
            state = _STATE.search(html)
            self.outcome = state[1] if state else "without a state"

    def refuse(self) -> None:
        self.outcome = "declined"


class Visitor:
    """One session of the page."""

    def __init__(self, http: httpx.AsyncClient, takes: int, answers: int, inputs: int) -> None:
        self._http = http
        self._takes = takes  # the number of the page's handler that takes a question
        self._answers, self._inputs = answers, inputs  # … and of the one that answers it
        self._session = uuid4().hex[:11]
        self.asked: list[Asked] = []

    async def ask(self, question: str) -> Asked:
        """Ask, and read along until the answer is complete."""
        asked = Asked(question)
        self.asked.append(asked)
        whose = {"session_hash": self._session, "event_data": None, "trigger_id": None}
        take = {"data": [question], "fn_index": self._takes, **whose}
        answer = {"data": [None] * self._inputs, "fn_index": self._answers, **whose}
        try:
            async with asyncio.timeout(LONGEST):
                taken = await self._http.post(f"{API}/run/predict", json=take)
                if "in progress already" in taken.raise_for_status().text:
                    asked.refuse()
                (await self._http.post(f"{API}/queue/join", json=answer)).raise_for_status()
                await self._read(asked)
        except (TimeoutError, httpx.HTTPError):
            asked.outcome = "hung"
        asked.done = asked.since()
        return asked

    async def _read(self, asked: Asked) -> None:
        shown: list[Any] = []
        url = f"{API}/queue/data?session_hash={self._session}"
        async with self._http.stream("GET", url) as response:
            async for line in response.aiter_lines():
                if not line.startswith("data:"):
                    continue
                message = json.loads(line[5:])
                kind = message["msg"]
                if kind == "close_stream":
                    return
                if kind not in {"process_generating", "process_completed"}:
                    continue
                if not message["success"]:
                    asked.outcome = "failed"
                    return
                data = message["output"].get("data") or []
                if kind == "process_generating" and shown:
                    shown = [apply_diff(*pair) for pair in zip(shown, data, strict=True)]
                else:
                    shown = data
                texts = [text for text in shown if isinstance(text, str)]
                if exchanges := [text for text in texts if 'class="exchange ' in text]:
                    asked.see(exchanges[-1])
                elif any("in progress already" in text for text in texts):
                    asked.refuse()

    @asynccontextmanager
    async def page(self) -> AsyncIterator[Visitor]:
        """Keep the page open, as a browser does; afterwards it is closed."""
        async with self._http.stream("GET", f"{API}/heartbeat/{self._session}") as alive:
            beats = alive.aiter_lines()
            await anext(beats)
            yield self


@asynccontextmanager
async def visiting(url: str) -> AsyncIterator[Visitor]:
    """One visitor with an open page."""
    async with httpx.AsyncClient(base_url=url, timeout=None, trust_env=False) as http:
        config = (await http.get("/config")).json()
        rows = config["dependencies"]
        take = next(
            row["id"] for row in rows if any(event == "submit" for _, event in row["targets"])
        )
        answer = next(row for row in rows if row["trigger_after"] == take)
        async with Visitor(http, take, answer["id"], len(answer["inputs"])).page() as visitor:
            yield visitor
