"""Wassenger, played: the gateway's API, its webhooks, and the people on the other side. One process of its own.

    python -m local.simulator --port 8100 --token KEY --device 5a1e00000000000000000001 --seed 7 --with-parent

prints ``simulator ready on http://127.0.0.1:8100`` (port 0: a free one) and runs until SIGTERM. The service
reaches it by ``WASSENGER_BASE_URL`` alone; it shares no code with the service, so that a mistake on one side
shows on the other. ``--device ID=PHONE`` may be given several times. What is random follows from the seed and
from whom it concerns, never from the order of arrival. Time is real time.

**What it plays** (port ``/v1``, header ``Token: KEY`` or ``Authorization: Bearer KEY``): messages (send, look up
by id or by filters, delete), devices and their health, numbers/exists, files, webhooks (register, change, enable,
disable), the history of chats. Bodies are checked as strictly as the vendor's. A reference is stored, echoed and
searchable, and never keeps a second message from being accepted. An accepted message goes queued, sent, delivered,
read; or fails; or expires in the queue. Webhooks are repeated with a growing wait until a 2xx.

**How it behaves** is one JSON document, ``PUT /_sim/behaviour``. A partial one is laid over what is in force
(null: back to the default), an unknown key or a bad value is a 400 that names it, and it acts at once.
Every key is described in ``behaviour.py``. Those asked for most:

======================================================  =========================================================
``reply_rate reply_delay late_rate late_delay``         who answers a first message, when, who after the window
``reply_types several_rate quote_rate``                 with what, how many times, quoting or not
``reply_again_rate``                                    who answers the follow-up, too
``noise``                                               groups, echoes of our own number, status posts, notices…
``phones``                                              scripts of single people: ``{"+33199000001": {"reply":
                                                        "voice", "delay": 0.5, "send": ["rate_limit", "ok"]}}``
``latency_ms rate_429 rate_5xx rate_html_502``          the API when it is slow, or accepts nothing
``timeout_after_accept error_after_accept``             the API when it accepts and does not say so
``send``                                                one outcome for every send (``behaviour.Outcome``)
``invalid_phones failed_rate fail_new_chats``           numbers without WhatsApp, late failures, the 463 lock
``device_offline offline_accepts key_revoked``          session gone (all or a list of devices), key gone
``ack_loss ack_duplication ack_disorder``               acknowledgements as they come in life
``webhook_duplication webhook_disorder webhook_loss``   the same for inbound webhooks
``lookup_lag_seconds lookups_unavailable``              look-ups that lag, fail, or ignore
``lookup_ignores_filter``                               what they were asked
``time_scale``                                          divides the people's times
======================================================  =========================================================

**What truly happened**, one JSON object per line, ``?since=`` unix seconds: ``GET /_sim/ledger`` (every accepted
message with its history), ``/_sim/inbound`` (all that reached a device; ``genuine`` where a person of ours wrote
or reacted), ``/_sim/webhooks`` (every webhook and each attempt). ``GET /_sim/requests`` counts calls by endpoint
and status. ``POST /_sim/say`` makes a person write now, ``/_sim/event`` delivers a body as it is, ``/_sim/reset``
starts a new run (``{"keep": ["behaviour", "webhooks"], "seed": 2}``). ``/_sim`` asks for no key: keep it on loopback.
"""
