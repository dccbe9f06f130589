"""One KV namespace and the isolates on it: what tests of nearly everything that is stored begin with."""

from typing import Any, Generic, TypeVar

from simulation.client import KEY, Client, make_client
from simulation.virtual_time import VirtualClock
from tests.support.faulty_kv import Fault, FaultyKv
from waypost_worker.clock import Clock
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.models.model import Model
from waypost_worker.settings import Settings

AnyClock = TypeVar("AnyClock", bound=Clock)


def never(operation: str, key: str) -> bool:
    """No operation fails."""
    return False


class Namespace(Generic[AnyClock]):
    """A store of the type `store` on a clock. `kv` notes what it is asked, and fails where `kv.fails` says so."""

    def __init__(self, clock: AnyClock, store: type[MemoryKv] = MemoryKv, fails: Fault = never) -> None:
        self.clock = clock
        self.store = store(clock)
        self.kv = FaultyKv(self.store, fails)

    async def keys(self, prefix: str = "") -> list[str]:
        """The keys that begin with `prefix`; looking at them is not noted."""
        return [key.name for key in (await self.store.list(prefix)).keys]

    def operations(self) -> list[str]:
        """The operations that `kv` was asked for since the last call."""
        operations = [operation for operation, _ in self.kv.asked]
        self.kv.asked.clear()
        return operations


class Isolates(Namespace[VirtualClock]):
    """A namespace with the whole application on it; `client` calls one isolate, and `isolate` makes others."""

    def __init__(self, model: Model | None = None, /, *, fails: Fault = never, **settings: Any) -> None:
        super().__init__(VirtualClock(), fails=fails)
        self.model = model
        self.settings = Settings(**({"signing_keys": (KEY,)} | settings))
        self.client = self.isolate(0)

    def isolate(self, seed: int) -> Client:
        """A client of another isolate."""
        return make_client(self.settings, self.kv, seed=seed, model=self.model)
