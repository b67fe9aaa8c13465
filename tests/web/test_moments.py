from __future__ import annotations

import httpx
import pytest

from tests.web.conftest import Makes, problem


@pytest.mark.parametrize(
    "given",
    ["0.5", "1790000000", "yesterday", "2026-01-31", "2026-01-31T25:00:00Z", "2026-01-31T09:00:00 01:00", "", "x" * 50],
)
async def test_what_is_no_time_is_refused_wherever_one_may_be_given(
    api: httpx.AsyncClient, new_campaign: Makes, given: str
) -> None:
    campaign = (await new_campaign(people=0))["id"]
    for path, name in (
        ("/api/audit", "since"), ("/api/interactions", "since"), (f"/api/campaigns/{campaign}/series", "after"),
    ):  # fmt: skip
        told = problem(await api.get(path, params={name: given}), 400, "invalid_request")
        assert [(one["field"], one["in"]) for one in told["errors"]] == [(name, "query")]
        assert (await api.get(path, params={name: "2026-01-31T09:00:00+01:00"})).status_code == 200
