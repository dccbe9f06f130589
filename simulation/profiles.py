"""How far apart the ends of a session are: in one isolate, in one data centre, or in several locations.

Every scenario runs with each profile; a run's seed chooses it, unless it is named.
"""

from dataclasses import dataclass, replace
from random import Random

from simulation.model_kv import OWN_VISIBILITY_SECONDS, Weather, World

DRAIN_SECONDS = 20 * 60
"""How long an isolate of an older version of the runtime goes on with the streams that it has:
https://developers.cloudflare.com/changelog/post/2026-10-12-longer-runtime-update-grace-period/"""


PLACED = {"CF-Placement": "remote-FRA"}
"""What the platform adds to a request where the Worker is placed in one location."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One distance. `key`: its name on the command line."""

    key: str
    title: str
    places: tuple[int, int]
    """The least and the greatest number of places in which the Worker runs, each with isolates and a clock of its
    own."""

    in_one_centre: bool
    """Whether all places see one another's writes as soon as a place sees its own."""

    isolates_per_place: int
    drain_seconds: float
    """How long an isolate that has been replaced goes on with its streams, at most."""

    def world(self, random: Random, weather: Weather, most_places: int | None = None) -> World:
        """A namespace at this distance, where `weather` is that of several locations."""
        least, most = self.places
        places = random.randint(least, min(most, most_places or most))
        return World(random, places, self.weather(weather), in_one_centre=self.in_one_centre)

    def weather(self, weather: Weather) -> Weather:
        """`weather`, which is that of several locations, at this distance."""
        if not self.in_one_centre:
            return weather
        return replace(weather, stale_listing=weather.unread_own_write, stale_seconds=OWN_VISIBILITY_SECONDS)


ISOLATE = Profile("isolate", "one isolate", (1, 1), in_one_centre=True, isolates_per_place=1, drain_seconds=0)
CENTRE = Profile(
    "centre", "one data centre", (2, 4), in_one_centre=True, isolates_per_place=1, drain_seconds=DRAIN_SECONDS
)
LOCATIONS = Profile(
    "locations", "several locations", (1, 4), in_one_centre=False, isolates_per_place=2, drain_seconds=DRAIN_SECONDS
)
PROFILES = {profile.key: profile for profile in (ISOLATE, CENTRE, LOCATIONS)}


def profile_of(seed: int) -> Profile:
    """The profile of the run from `seed`, unless another one is named."""
    # Each kind of run (they repeat after 16 seeds) in each profile.
    return tuple(PROFILES.values())[seed // 16 % len(PROFILES)]
