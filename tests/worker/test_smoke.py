"""The test that `make deploy` makes of a deployment passes on the real runtime, and leaves nothing behind."""

from __future__ import annotations

import pytest

from tests.support.http_api import Api
from tools.deploy.sending import send
from tools.deploy.smoke import Smoke, Time, wait

pytestmark = pytest.mark.worker


def test_a_deployment_that_works_passes_its_test(api: Api) -> None:
    url = str(api.http.base_url).rstrip("/")
    smoke = Smoke(url, send)
    assert wait(smoke, None, Time(), [].append)["status"] == "ok"
    smoke.run()
    assert 10 < smoke.operations < 100
