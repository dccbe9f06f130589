# Made from `waypost/_async/threads.py` by `npm run python-client`: change that one.
"""The threads of a resource: a user of an app, named by the app."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from waypost._sync.chat import Chat
from waypost._sync.driver import Driver
from waypost._wire import threads
from waypost.errors import NotFound
from waypost.types import Deletion, Thread


class Threads:
    """The threads of one resource."""

    def __init__(self, driver: Driver, resource_id: str) -> None:
        self._driver = driver
        self.resource_id = resource_id

    def chat(self, thread_id: str, *, agent: str | None = None) -> Chat:
        """The chat of a thread, which need not have begun."""
        return Chat(self._driver, thread_id, self.resource_id, agent=agent)

    def list(
        self, *, archived: bool | None = None, metadata: Mapping[str, str] | None = None, page_size: int | None = None
    ) -> Iterator[Thread]:
        """All threads, the last used first, read page by page. `archived`: only those that are, or only those that are
        not. `metadata`: only those with these values."""
        cursor: str | None = None
        while True:
            call = threads.list_threads(
                self.resource_id, limit=page_size, cursor=cursor, archived=archived, metadata=metadata
            )
            page = self._driver.send(call)
            for thread in page.sessions:
                yield thread
            cursor = page.cursor
            if cursor is None:
                return

    def begin(
        self,
        thread_id: str,
        *,
        title: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        agent: str | None = None,
    ) -> Thread:
        """Begins a thread without a question, or finds the one of this name, which keeps what it has."""
        call = threads.begin_thread(thread_id, self.resource_id, title=title, metadata=metadata, agent=agent)
        return self._driver.send(call)

    def get(self, thread_id: str) -> Thread | None:
        """Reads a thread; `None` if there is none."""
        try:
            return self._driver.send(threads.read_thread(thread_id, self.resource_id))
        except NotFound:
            return None

    def change(
        self,
        thread_id: str,
        *,
        title: str | None = None,
        archived: bool | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Thread:
        """Renames or archives a thread, or replaces its metadata: what is left out stays. Raises `NotFound`."""
        call = threads.change_thread(thread_id, self.resource_id, title=title, archived=archived, metadata=metadata)
        return self._driver.send(call)

    def delete(self, thread_id: str) -> bool:
        """Deletes a thread with its history, documents and pages; its forks stay. Returns whether there was one."""
        deleted = self._driver.send(threads.delete_thread(thread_id, self.resource_id))
        return deleted.success

    def delete_all(self) -> Deletion:
        """Deletes all threads in this way. If it raises, call it again: it goes on."""
        deleted = 0
        while True:
            part = self._driver.send(threads.delete_resource(self.resource_id))
            deleted += part.deleted
            if part.done:
                return Deletion(deleted, part.visible_until)

    def export(self, *, cursor: str | None = None) -> Iterator[dict[str, Any]]:
        """All threads with their histories, documents and pages, line by line. A line of the kind `more` has a cursor,
        with which an export that broke off goes on."""
        while True:
            lines = self._driver.send(threads.export_resource(self.resource_id, cursor))
            for line in lines:
                yield line
            if lines[-1]["kind"] == "end":
                return
            cursor = lines[-1]["cursor"]
