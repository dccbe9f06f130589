"""A network that is further away than loopback: forwards TCP connections to a port, every byte some time later."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

CHUNK_BYTES = 1 << 16


class SlowLink:
    """A port whose connections reach `target` with `one_way_seconds` more in either direction, which may change while
    it runs. A context manager: it has a thread of its own."""

    def __init__(self, target: int, one_way_seconds: float) -> None:
        self.one_way_seconds = one_way_seconds
        self.port = 0
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _connected(self, near_reader: asyncio.StreamReader, near_writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        for reader, writer in ((near_reader, far_writer), (far_reader, near_writer)):
            task = self._loop.create_task(self._forward(reader, writer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Timers of the same length run out in the order in which they were set, so nothing overtakes.
        try:
            with suppress(ConnectionError):
                while data := await reader.read(CHUNK_BYTES):
                    self._loop.call_later(self.one_way_seconds, writer.write, data)
            await asyncio.sleep(self.one_way_seconds)
        finally:
            writer.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        async def close() -> None:
            self._server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            # Transports close in the loop's next turn.
            await asyncio.sleep(0)

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
