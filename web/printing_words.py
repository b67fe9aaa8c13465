"""The words of the printed report, in French and English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Words:
    """Every word on the page in one language."""

    thousands: str
    point: str
    people: str
    many: str
    share: str
    latency: str
    half: str
    most: str
    failures: str
    message: str
    reason: str
    pacing: str
    batch: str
    from_: str
    delay: str
    pause: str
    launched: str
    completed: str
    sending: str
    total: str
    paused: str
    batches: str
    retries: str
    figures: Mapping[str, str]
    latencies: Mapping[str, str]
    status: Mapping[str, str]


WORDS = {
    "en": Words(
        thousands=",", point=".", people="People", many="Number", share="Share", latency="How soon",
        half="Half within", most="95 % within", failures="Failures", message="Message", reason="Reason",
        pacing="Pace", batch="From batch", from_="Since", delay="Delay", pause="Pause", launched="Launched",
        completed="Completed", sending="Sending took", total="in all", paused="paused", batches="Batches",
        retries="Sent again",
        figures={
            "recipients": "Recipients", "sent": "Message 1 sent", "delivered": "Delivered", "read": "Read",
            "replied": "Replied", "message_2": "Message 2 sent", "silent": "No interaction", "late": "Replied too late",
            "opted_out": "Opted out", "failed": "Message 1 failed", "message_2_failed": "Message 2 failed",
            "unconfirmed": "In doubt", "cancelled": "Cancelled",
        },
        latencies={
            "accept": "Accepted by the gateway", "delivery": "Delivered", "read": "Read", "reply": "Replied",
            "message_2": "Message 2 after a reply",
        },
        status={
            "draft": "draft", "scheduled": "scheduled", "launching": "launching", "sending": "sending",
            "waiting": "waiting for replies", "paused": "paused", "completed": "completed", "cancelled": "cancelled",
        },
    ),
    "fr": Words(
        thousands="\u202f", point=",", people="Personnes", many="Nombre", share="Part", latency="Délais",
        half="La moitié en", most="95 % en", failures="Échecs", message="Message", reason="Raison",
        pacing="Cadence", batch="Dès le lot", from_="Depuis", delay="Délai", pause="Pause", launched="Lancée",
        completed="Terminée", sending="Durée d’envoi", total="au total", paused="en pause", batches="Lots",
        retries="Renvoyés",
        figures={
            "recipients": "Destinataires", "sent": "Message 1 envoyé", "delivered": "Distribués", "read": "Lus",
            "replied": "Ont répondu", "message_2": "Message 2 envoyé", "silent": "Sans interaction",
            "late": "Réponse tardive", "opted_out": "Désinscrits", "failed": "Message 1 en échec",
            "message_2_failed": "Message 2 en échec", "unconfirmed": "Dans le doute", "cancelled": "Annulés",
        },
        latencies={
            "accept": "Accepté par la passerelle", "delivery": "Distribué", "read": "Lu", "reply": "Réponse",
            "message_2": "Message 2 après une réponse",
        },
        status={
            "draft": "brouillon", "scheduled": "planifiée", "launching": "lancement", "sending": "envoi en cours",
            "waiting": "en attente de réponses", "paused": "en pause", "completed": "terminée", "cancelled": "annulée",
        },
    ),
}  # fmt: skip
"""By language."""
