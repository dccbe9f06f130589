"""Each environment in wrangler.toml has what its top has, with names and numbers of its own."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tools.environments import (
    BEGIN,
    CONFIG,
    OTHERS,
    OWN,
    SHARED,
    EnvironmentsError,
    environment,
    environments,
    problem,
    written,
)
from tools.local.local_worker import ROOT

HERE: dict[str, Any] = tomllib.loads(CONFIG.read_text())
NAMES = ["preview", "production"]


def test_the_environments_are_those_of_the_top_and_the_differences() -> None:
    assert problem() is None


def test_there_is_one_for_trying_and_one_for_users() -> None:
    assert list(HERE["env"]) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_an_environment_has_every_binding_and_variable_of_the_top(name: str) -> None:
    here = HERE["env"][name]

    assert HERE.keys() & (SHARED | OWN | OTHERS) == here.keys() & (SHARED | OWN | OTHERS)
    assert here["vars"].keys() == HERE["vars"].keys()
    for key in ("kv_namespaces", "ratelimits"):
        assert [table.get("name", table.get("binding")) for table in here[key]] == [
            table.get("name", table.get("binding")) for table in HERE[key]
        ]


def test_no_two_environments_share_a_namespace_or_a_budget() -> None:
    everywhere = [HERE, *HERE["env"].values()]

    ids = [limit["namespace_id"] for table in everywhere for limit in table["ratelimits"]]
    assert len(set(ids)) == len(ids)
    assert not any("id" in namespace for table in everywhere[1:] for namespace in table["kv_namespaces"])


def test_what_wrangler_does_not_pass_on_is_known() -> None:
    source = (ROOT / "node_modules" / "wrangler" / "wrangler-dist" / "cli.js").read_text()
    called = re.findall(r"(?<!function )\bnotInheritable\((?:\s*\w+,){5}\s*\"(\w+)\"", source)

    assert len(called) == len(re.findall(r"(?<!function )\bnotInheritable\(", source))
    assert sorted(called) == sorted(SHARED | OWN | OTHERS)


def test_environments_of_another_top_are_noticed_and_own_ones_are_left_alone(tmp_path: Path) -> None:
    config, differences = tmp_path / "wrangler.toml", tmp_path / "environments.toml"
    differences.write_text(OTHER)
    config.write_text(written(TOP, OTHER))
    assert problem(config, differences) is None
    config.write_text(written(TOP, OTHER).replace('PLAN = ""', 'PLAN = "paid"', 1))
    assert "run `npm run environments`" in str(problem(config, differences))
    differences.write_text("[try]\n")
    assert "namespace_ids" in str(problem(config, differences))
    config.write_text(TOP + '\n[env.mine]\nname = "mine"\n')
    assert problem(config, differences) is None


TOP = """\
name = "waypost"

[[kv_namespaces]]
binding = "WAYPOST"
id = "0f2a"

[[ratelimits]]
name = "LIMIT"
namespace_id = "70"
simple = { limit = 10, period = 60 }

[vars]
PLAN = ""
NOTE = "a \\"b\\" \\\\ \\n ü \\u007f"
"""
OTHER = "[try]\nnamespace_ids = 1\n"


def made(top: str, differences: str = OTHER) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads(written(top, differences))["env"]["try"]
    return table


def test_an_environment_repeats_the_top_without_its_namespace() -> None:
    assert made(TOP) == {
        "kv_namespaces": [{"binding": "WAYPOST"}],
        "ratelimits": [{"name": "LIMIT", "namespace_id": "71", "simple": {"limit": 10, "period": 60}}],
        "vars": tomllib.loads(TOP)["vars"],
    }


def test_writing_again_changes_nothing_and_a_new_binding_is_added() -> None:
    once = written(TOP, OTHER)

    assert written(once, OTHER) == once
    more = once.replace("[vars]\n", '[version_metadata]\nbinding = "VERSION"\n\n[vars]\n', 1)
    assert written(more, OTHER) != more
    assert made(more)["version_metadata"] == {"binding": "VERSION"}


def test_what_stands_outside_of_the_block_stays() -> None:
    once = written(TOP + '\n[env.mine]\nname = "mine"\n', OTHER)

    assert once.startswith(TOP)
    assert tomllib.loads(once)["env"].keys() == {"mine", "try"}
    assert once.count(BEGIN) == 1


def test_differences_replace_what_the_top_says() -> None:
    table = made(
        TOP,
        OTHER
        + 'name = "other"\nroutes = ["x.example/*"]\n'
        + '[try.vars]\nPLAN = "paid"\n'
        + '[try.kv_namespaces.WAYPOST]\nid = "77aa"\n'
        + "[try.ratelimits.LIMIT]\nsimple = { limit = 3 }\n"
        + '[try.observability]\nenabled = false\n[try."odd key"]\na = [1, true, "b"]\n',
    )

    assert table == {
        "name": "other",
        "routes": ["x.example/*"],
        "kv_namespaces": [{"binding": "WAYPOST", "id": "77aa"}],
        "ratelimits": [{"name": "LIMIT", "namespace_id": "71", "simple": {"limit": 3, "period": 60}}],
        "vars": tomllib.loads(TOP)["vars"] | {"PLAN": "paid"},
        "observability": {"enabled": False},
        "odd key": {"a": [1, True, "b"]},
    }


def test_the_rows_of_an_environment_do_not_mix_with_those_of_another() -> None:
    datasets = TOP + '[[analytics_engine_datasets]]\nbinding = "METRICS"\n'

    assert made(datasets)["analytics_engine_datasets"] == [{"binding": "METRICS", "dataset": "METRICS_try"}]
    named = made(datasets + 'dataset = "seen"\n')["analytics_engine_datasets"]
    assert named == [{"binding": "METRICS", "dataset": "seen_try"}]


@pytest.mark.parametrize(
    ("top", "differences", "sentence"),
    [
        (TOP, "[try]\n", "no number namespace_ids in [try]"),
        (TOP, "[try]\nnamespace_ids = 0\n", "no number namespace_ids in [try]"),
        (TOP, OTHER + "[again]\nnamespace_ids = 1\n", "again and try both have the namespace_id 71"),
        (TOP, OTHER + "[try.ratelimits.LIMITS]\n", "[try.ratelimits.LIMITS], and wrangler.toml has no such binding"),
        (TOP, OTHER + '[try.vars]\nPLANS = ""\n', "PLANS in [try.vars], and wrangler.toml has no such variable"),
        (TOP, "try = 1\n", "[try] to be a table"),
        (TOP, "[try\n", "is not TOML"),
        (TOP + '[[r2_buckets]]\nbinding = "B"\nbucket_name = "b"\n', OTHER, "wrangler.toml has r2_buckets"),
        ('route = "x.example/*"\n' + TOP, OTHER, "wrangler.toml has route:"),
    ],
)
def test_what_two_workers_would_share_by_accident_is_refused(top: str, differences: str, sentence: str) -> None:
    with pytest.raises(EnvironmentsError, match=re.escape(sentence)):
        written(top, differences)


def test_a_shared_resource_is_possible_where_it_is_said() -> None:
    top = tomllib.loads(TOP) | {"r2_buckets": [{"binding": "B", "bucket_name": "b"}]}
    mine = [{"binding": "B", "bucket_name": "b-try"}]

    assert environment(top, "try", {"namespace_ids": 1, "r2_buckets": mine})["r2_buckets"] == mine


def test_a_top_that_two_environments_clash_with_is_refused() -> None:
    top = tomllib.loads(TOP)
    top["ratelimits"].append({"name": "OTHER", "namespace_id": "71", "simple": {"limit": 1, "period": 60}})

    with pytest.raises(EnvironmentsError, match="try and the top both have the namespace_id 71"):
        environments(top, {"try": {"namespace_ids": 1}})
