from __future__ import annotations

from typing import Any

import pytest

from tests.simulator_process import Simulator

PHONE = "+33199000001"


def _refused(simulator: Simulator, document: Any) -> str:
    answer = simulator.call("PUT", "/_sim/behaviour", json=document)
    assert answer.status_code == 400 and answer.json()["errorCode"] == "behaviour:invalid"
    return str(answer.json()["message"])


def test_every_unknown_key_is_named_and_nothing_changes(simulator: Simulator) -> None:
    before = simulator.behaviour()
    document = {
        "reply_rate": 1, "replyrate": 1, "noise": {"hiss": 1}, "reply_types": {"song": 1}, "phones": {PHONE: {"x": 1}},
    }  # fmt: skip
    told = _refused(simulator, document)
    for name in ("replyrate", "noise.hiss", "reply_types.song", f"phones.{PHONE}.x"):
        assert name in told
    assert simulator.behaviour() == before


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({"reply_rate": 1.5}, "reply_rate"),
        ({"reply_rate": "often"}, "reply_rate"),
        ({"latency_ms": -1}, "latency_ms"),
        ({"reply_delay": [3, 1]}, "reply_delay"),
        ({"send": "perhaps"}, "send"),
        ({"time_scale": 0}, "time_scale"),
        ({"phones": {PHONE: {"reply": "song"}}}, "phones"),
        ({"phones": 5}, "phones"),
        ([], "object"),
    ],
)
def test_a_bad_value_is_named_and_nothing_changes(simulator: Simulator, document: Any, named: str) -> None:
    before = simulator.behaviour()
    assert named in _refused(simulator, document)
    assert simulator.behaviour() == before


def test_a_partial_document_is_laid_over_what_is_in_force(simulator: Simulator) -> None:
    simulator.behave(reply_rate=0.25, phones={PHONE: {"reply": "text", "delay": 1}})
    simulator.behave(phones={PHONE: {"delay": 2}, "+33199000002": {"reply": "none"}}, reply_types={"poll": 99})
    now = simulator.behaviour()
    assert now["reply_rate"] == 0.25 and now["reply_types"]["poll"] == 99 and now["reply_types"]["text"] > 0
    assert now["phones"] == {PHONE: {"reply": "text", "delay": 2}, "+33199000002": {"reply": "none"}}
    simulator.behave(reply_rate=None, phones={PHONE: None})
    assert simulator.behaviour()["reply_rate"] == 0.5
    assert list(simulator.behaviour()["phones"]) == ["+33199000002"]


def test_a_change_acts_at_once(simulator: Simulator) -> None:
    simulator.behave(send="error")
    assert simulator.send(PHONE).status_code == 500
    simulator.behave(send="ok")
    assert simulator.send(PHONE).status_code == 201


def test_reset_starts_a_new_run_and_keeps_what_it_is_told(simulator: Simulator) -> None:
    simulator.behave(reply_rate=0.25)
    simulator.register("http://127.0.0.1:9/x")
    simulator.send(PHONE)
    simulator.say(PHONE)
    simulator.reset("behaviour", "webhooks")
    assert simulator.ledger() == simulator.inbound() == simulator.webhooks() == []
    assert simulator.behaviour()["reply_rate"] == 0.25
    assert len(simulator.call("GET", "/v1/webhooks").json()) == 1
    simulator.reset()
    assert simulator.behaviour()["reply_rate"] == 0.5
    assert simulator.call("GET", "/v1/webhooks").json() == []
    assert simulator.call("POST", "/_sim/reset").status_code == 200
    assert simulator.call("POST", "/_sim/reset", json={"keep": ["all"]}).status_code == 400


def test_requests_are_counted_by_endpoint_and_status(simulator: Simulator) -> None:
    simulator.send(PHONE)
    simulator.send("0199")
    simulator.call("GET", "/v1/messages")
    told = simulator.requests()
    assert told["endpoints"]["POST /v1/messages"] == {"201": 1, "400": 1}
    assert told["endpoints"]["GET /v1/messages"] == {"200": 1}
    assert told["max_in_flight"]["POST /v1/messages"] == 1 and told["total"] == 3


def test_times_that_cannot_be_read_are_refused(simulator: Simulator) -> None:
    assert simulator.call("GET", "/_sim/ledger?since=soon").status_code == 400
    assert simulator.call("GET", "/_sim/ledger?since=2026-01-01T00:00:00Z").status_code == 200
