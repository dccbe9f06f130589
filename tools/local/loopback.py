"""Serves the IPv6 loopback address too, by passing connections on to the IPv4 one, where wrangler listens.

`localhost` is both `127.0.0.1` and `::1`, and some clients try only the first that the system names (fetch in Node 17
to 19, programs in some containers). wrangler listens on one address, or on every interface of the machine.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

IPV4, IPV6 = "127.0.0.1", "::1"
CHUNK_BYTES = 65_536


def listen(port: int, address: str = IPV6) -> socket.socket | None:
    """A socket that listens on `port` of `address`; `None` if this machine has no such address.

    Raises:
        OSError: another program listens there.
    """
    try:
        listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    except OSError:
        return None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen()
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise
        return None
    return listener


class SecondLoopback:
    """Passes the connections of `listener` on to `127.0.0.1:port` inside `with`, in a thread of its own."""

    def __init__(self, listener: socket.socket | None, port: int) -> None:
        self._listener = listener
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if self._listener is not None:
            serving = asyncio.start_server(self._pass_on, sock=self._listener)
            asyncio.run_coroutine_threadsafe(serving, self._loop).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end_connections(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        if self._listener is not None:
            self._listener.close()

    async def _end_connections(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A connection that breaks on one side ends on the other.
        try:
            with suppress(OSError):
                there_reader, there_writer = await asyncio.open_connection(IPV4, self._port)
                try:
                    await asyncio.gather(_copy(reader, there_writer), _copy(there_reader, writer))
                finally:
                    there_writer.close()
        finally:
            writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK_BYTES):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
