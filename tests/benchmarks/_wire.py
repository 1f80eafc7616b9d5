"""A browser tab without a browser: Streamlit's own websocket protocol, spoken as its page in the browser speaks it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from tests.pages.conftest import array

LARGEST = 2**26
"""Most bytes of one message."""


class Tab:
    """One session: what its page would hold, and the timers that ask for fragments again.

    Attributes:
        charts: The newest figure of each chart, as JSON, by its key.
        errors: What the page would show as an error.
        intervals: Seconds between two redraws that the server asked for, by fragment.
        redraws: How many runs of a fragment came to their end.
    """

    def __init__(self, connection: ClientConnection, query: str, drawn: Callable[[str, str, float], None]) -> None:
        self._connection, self._query, self._drawn = connection, query, drawn
        self._page = ""
        self._cache: dict[str, tuple[ForwardMsg, int, str]] = {}  # message, its run, its fragment
        self._runs = 0
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._ids: dict[str, str] = {}
        self._fragments: list[str] = []
        self.listening: asyncio.Task[None] | None = None
        self.finished = asyncio.Event()
        self.charts: dict[str, str] = {}
        self.errors: list[str] = []
        self.intervals: dict[str, float] = {}
        self.redraws = 0

    async def ask(self, page: str = "", fragment: str = "", automatic: bool = False) -> None:
        """Ask for a run of the script, or of one fragment."""
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_name, state.page_script_hash = self._query, page, "" if page else self._page
        state.fragment_id, state.is_auto_rerun = fragment, automatic
        state.cached_message_hashes.extend(self._cache)
        state.context_info.timezone, state.context_info.color_scheme = "UTC", "light"
        state.context_info.url = "http://127.0.0.1/"
        await self._connection.send(message.SerializeToString())

    def rest(self) -> None:
        """Ask for nothing by itself from here on."""
        self._stop(list(self._timers))

    async def next(self, seconds: float = 20) -> None:
        """Wait until a run has come to its end."""
        ended = asyncio.create_task(self.finished.wait())
        await asyncio.wait({ended, self.listening}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if self.listening.done():
            self.listening.result()
        if not ended.done():
            raise TimeoutError(f"no run of the script came to its end within {seconds:g} s")

    async def listen(self) -> None:
        """Take messages until the connection is closed."""
        try:
            async for payload in self._connection:
                message = ForwardMsg.FromString(payload)
                await self._take(self._whole(message))
        except Exception as error:
            self.errors.append(f"{type(error).__name__}: {error}")
            raise
        finally:
            self.rest()

    def _whole(self, message: ForwardMsg) -> ForwardMsg:
        """A message that refers to an earlier one, completed; large ones are kept as the page keeps them."""
        if message.WhichOneof("type") == "ref_hash":
            kept, _, fragment = self._cache[message.ref_hash]
            self._cache[message.ref_hash] = (kept, self._runs, fragment)
            whole = ForwardMsg()
            whole.CopyFrom(kept)
            whole.metadata.CopyFrom(message.metadata)
            return whole
        if message.metadata.cacheable:
            self._cache[message.hash] = (message, self._runs, message.delta.fragment_id)
        return message

    async def _take(self, message: ForwardMsg) -> None:
        match message.WhichOneof("type"):
            case "new_session":
                self._fragments = list(message.metadata.run.fragment_ids)
                if not self._fragments:
                    self.rest()
            case "navigation":
                self._page = message.navigation.page_script_hash
            case "auto_rerun":
                self._every(message.auto_rerun.fragment_id, message.auto_rerun.interval)
            case "stop_auto_rerun":
                self._stop(list(message.stop_auto_rerun.fragment_ids))
            case "delta":
                self._element(message)
            case "script_finished":
                self._forget(message)
                self.redraws += bool(self._fragments)
                self.finished.set()

    def _element(self, message: ForwardMsg) -> None:
        if message.delta.WhichOneof("type") != "new_element":
            return
        element = message.delta.new_element
        match element.WhichOneof("type"):
            case "plotly_chart":
                key = element.plotly_chart.id.split("-", 2)[-1]
                if self._ids.get(key) != element.plotly_chart.id:
                    self._ids[key] = element.plotly_chart.id
                    self.charts[key] = element.plotly_chart.spec
                    self._drawn(key, element.plotly_chart.spec, time.time())
            case "exception":
                self.errors.append(element.exception.message)
            case "alert":
                if element.alert.format == element.alert.ERROR:
                    self.errors.append(element.alert.body)

    def _forget(self, message: ForwardMsg) -> None:
        """Drop old large messages as the page does: two runs after they were last used."""
        if message.script_finished == message.FINISHED_EARLY_FOR_RERUN:
            return
        self._runs += 1
        for key, (_, used, fragment) in list(self._cache.items()):
            concerned = not self._fragments or fragment in self._fragments
            if concerned and self._runs - used > 2:
                del self._cache[key]

    def _every(self, fragment: str, seconds: float) -> None:
        if self.intervals.get(fragment) == seconds and fragment in self._timers:
            return
        self._stop([fragment])
        self.intervals[fragment] = seconds
        self._timers[fragment] = asyncio.create_task(self._ticks(fragment, seconds))

    async def _ticks(self, fragment: str, seconds: float) -> None:
        due = time.monotonic()
        while True:
            due += seconds
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await self.ask(fragment=fragment, automatic=True)

    def _stop(self, fragments: list[str]) -> None:
        for fragment in fragments:
            if timer := self._timers.pop(fragment, None):
                timer.cancel()
            self.intervals.pop(fragment, None)


@asynccontextmanager
async def tab(
    port: int, page: str, query: str = "", drawn: Callable[[str, str, float], None] = lambda *_: None
) -> AsyncIterator[Tab]:
    """Open a page of the server on a port.

    Args:
        port: Of a server on this machine.
        page: Its name in the address, such as ``train``; empty for the first page.
        query: What stands behind the question mark.
        drawn: Called with the key of a chart, its figure as JSON, and the time, whenever a chart changes.
    """
    url = f"ws://127.0.0.1:{port}/_stcore/stream"
    async with connect(url, subprotocols=["streamlit"], max_size=LARGEST, compression=None) as connection:
        opened = Tab(connection, query, drawn)
        opened.listening = asyncio.create_task(opened.listen())
        try:
            await opened.ask(page=page)
            await opened.next(60)
            yield opened
        finally:
            opened.listening.cancel()
            opened.rest()


def newest(spec: str) -> float:
    """The largest x of the first line of a figure; 0 while it is empty."""
    x = array(json.loads(spec)["data"][0]["x"])
    return float(np.max(x)) if len(x) else 0.0
