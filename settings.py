"""Every environment variable: its name, type, default, bounds, and one sentence.

``get()`` reads them once per process (``.env`` included, the environment wins). A value that is
missing, malformed or out of range stops the process with the variable, the value and what is allowed.
"""

from __future__ import annotations

import os
import re
import ssl
import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from dotenv import dotenv_values

LEASE_SECONDS = 10.0
"""Life of a lane's lease. Not tunable: the fences below are computed from it."""
LEASE_RENEW_SECONDS = 2.0
"""How often the owner renews its lease."""

LEAST_KEPT_DAYS = 30.0
"""What is removed is at least so old: gateways send again, and what was received is read back."""


class BadSettings(Exception):
    """One or more variables cannot be used; the text names each with its value and what is allowed."""


def var(
    sentence: str,
    default: Any = MISSING,
    *,
    bounds: tuple[float, float] | None = None,
    secret: bool = False,
) -> Any:
    """Declare one variable. Without a default it is required."""
    metadata = {"sentence": sentence, "bounds": bounds, "secret": secret}
    if default is MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The whole configuration. A field ``batch_size`` is the variable ``BATCH_SIZE``."""

    # Where things are
    database_url: str = var("PostgreSQL ≥ 14, the truth.", secret=True)
    redis_url: str = var("Redis ≥ 6.2 or Valkey, for wake-ups, gates and live frames.", secret=True)
    database_pool_size: int = var("Connections each process may hold.", 10, bounds=(2, 100))
    public_url: str = var("Address under which the gateway reaches this service.", "")
    port: int = var("Port of the web process.", 8000, bounds=(0, 65535))
    log_level: Literal["debug", "info", "warning", "error"] = var("Least level that is logged.", "info")
    log_format: Literal["json", "console"] = var("One JSON object a line, or text for people.", "json")
    slow_request_seconds: float = var("Requests that take longer are logged as slow.", 0.5, bounds=(0.001, 60))

    # Secrets
    secret_key: str = var("Signs what must come back unchanged; at least 32 characters.", secret=True)
    bootstrap_api_key: str = var("An admin API key given by the operator; ≥ 24 characters.", secret=True)

    # Who may come in
    admin_email: str = var("E-mail of the first admin, made at release while there is no user.", "")
    admin_password: str = var("Their password, 12 to 200 characters.", "", secret=True)
    session_idle_hours: float = var("A log-in ends when unused for so long.", 12.0, bounds=(0.0002, 720))
    session_max_hours: float = var("A log-in ends at the latest so long after it began.", 168.0, bounds=(0.0002, 8760))
    login_attempts: int = var("Failed log-ins in a row, then one a minute.", 10, bounds=(3, 1000))
    api_requests_per_second: float = var("What one key or person may ask for, on average.", 100.0, bounds=(1, 100_000))
    trusted_proxies: int = var(
        "Proxies in front of us; X-Forwarded-For is read so far from its right.", 0, bounds=(0, 9)
    )

    # The gateway
    gateway: Literal["wassenger"] = var("Which WhatsApp gateway is behind the door.", "wassenger")
    wassenger_api_key: str = var("Key of the Wassenger account.", secret=True)
    wassenger_base_url: str = var("Address of its API.", "https://api.wassenger.com")
    wassenger_device_id: str = var("Device (24 hex digits) of the first sender; made at release.", "")
    wassenger_webhook_secret: str = var("Our token on the webhook; ≥ 16 characters.", secret=True)
    wassenger_signing_secret: str = var("The vendor's HMAC key, when it gave one.", "", secret=True)
    wassenger_require_signature: bool = var("Refuse webhooks without a valid signature.", False)
    gateway_timeout_seconds: float = var("Deadline of one call, in total.", 5.0, bounds=(0.5, 6))

    ssl_cert_file: str = var("Certificates (PEM) to trust instead of the usual ones, at the gateway too.", "")

    # Pacing
    pacing_profile: Literal["standard", "careful", "official"] = var("Default pace of a sender.", "standard")
    wassenger_rate_limit_seconds: float = var("Delay between two Message 1.", 5.0, bounds=(2, 10))
    mature_delay_seconds: float = var("Delay of a mature number.", 3.0, bounds=(2, 10))
    messages_per_second: float = var("Rate of the official profile.", 20.0, bounds=(1, 1000))
    pacing_jitter: float = var("Gaps are drawn in 1 ± this.", 0.25, bounds=(0, 0.9))
    wassenger_batch_size: int = var("Attempts in one batch.", 75, bounds=(25, 100))
    wassenger_batch_pause_seconds: float = var("Pause between two batches.", 30.0, bounds=(0, 3600))
    error_rate_threshold: float = var("Error rate above which the delay grows.", 0.05, bounds=(0, 1))
    delay_increase_factor: float = var("By how much it grows.", 1.5, bounds=(1, 5))
    circuit_breaker_threshold: float = var("Error rate that pauses a campaign.", 0.20, bounds=(0.01, 1))
    invalid_number_threshold: float = var("Share of numbers nobody has that pauses a campaign.", 0.20, bounds=(0.01, 1))
    mature_age_days: float = var("Days of use after which a number may be mature.", 28.0, bounds=(0, 3650))
    mature_sent: int = var("Messages that must have left a mature number.", 500, bounds=(0, 1_000_000))
    mature_failure_rate: float = var("A mature number's recent failures are below it.", 0.03, bounds=(0, 1))
    mature_reply_rate: float = var("Share of the people written to that answer a mature number.", 0.25, bounds=(0, 1))
    reach_out_rest_hours: float = var("So long a locked number opens no new conversations.", 24.0, bounds=(0.001, 720))
    careful_quiet_hours: str = var(
        "Quiet hours of the careful profile where nobody names any, in the recipient's time zone; empty: none.",
        "21:00-08:00",
    )
    time_scale: float = var(
        "Divides every paced wait (gaps, pauses, back-off); only with a gateway on loopback.",
        1.0,
        bounds=(1, 1000),
    )

    simulate_typing: bool = var("Seem to type for a moment before a message, where the gateway offers it.", True)

    # Quota, retries, windows
    daily_message_limit: int = var("Messages per number and local day.", 1000, bounds=(1, 1_000_000))
    message_2_allowance: float = var("Share of the limit by which Message 2 may pass it.", 0.5, bounds=(0, 10))
    quota_exhausted: Literal["defer", "fail"] = var("Wait for the next day, or fail the message.", "defer")
    monthly_no_reply_cap: int = var(
        "Conversations a number may open a month that nobody answers; 0: no cap.", 0, bounds=(0, 10_000_000)
    )
    quiet_hours: str = var("No Message 1 in these local hours, e.g. 21:00-08:00; empty: none.", "")
    max_retry_attempts: int = var("Retries after the first attempt.", 3, bounds=(0, 10))
    retry_base_delay_seconds: float = var("First retry; each next one waits twice as long.", 60.0, bounds=(1, 3600))
    reply_window_hours: float = var("How long a reply brings Message 2.", 24.0, bounds=(0.0005, 168))
    campaign_safety_timeout_hours: float = var(
        "A campaign ends at the latest so long after launch.", 48.0, bounds=(0.001, 720)
    )
    sweep_interval_seconds: float = var("How often silence is marked.", 60.0, bounds=(1, 3600))
    hearing_interval_seconds: float = var(
        "How often what a number received is read back, for webhooks that never came.", 60.0, bounds=(1, 3600)
    )
    reply_gap_seconds: float = var("Least gap between two Message 2 of one sender.", 0.0, bounds=(0, 60))
    opt_out_words: tuple[str, ...] = var(
        "Whole messages that mean stop, separated by commas.",
        ("stop", "arret", "arrêter", "stopper", "désabonner", "désinscription", "désinscrire", "desabonnement",
         "ne plus recevoir", "unsubscribe", "stop all", "stopall", "opt out", "optout", "end", "quit", "remove me"),
    )  # fmt: skip

    cache_ttl_seconds: float = var("How long an answer of the cache may be used.", 60.0, bounds=(1, 3600))

    # What is not kept for ever
    inbox_kept_days: float = var("Raw webhooks are removed after so many days; 0: never.", 90.0, bounds=(0, 36_500))
    events_kept_days: float = var(
        "Moves of people and messages of ended campaigns are removed after so many days; 0: never.",
        400.0,
        bounds=(0, 36_500),
    )

    # Who is told when something is wrong
    alert_urls: str = var("Apprise addresses that alerts go to, separated by spaces or commas.", "", secret=True)
    heartbeat_url: str = var("Asked for each minute while all is well; silence tells its owner.", "", secret=True)
    worker_down_alert_seconds: float = var("A process silent for so long is missed.", 300.0, bounds=(2, 86_400))
    webhook_silence_alert_seconds: float = var(
        "No webhook for so long after something was sent, while the session is online, alerts.",
        3600.0,
        bounds=(5, 604_800),
    )
    lane_stalled_alert_seconds: float = var(
        "A number that could send and has not for so long alerts.", 300.0, bounds=(5, 86_400)
    )
    disk_free_alert: float = var("Share of a disk that must be free.", 0.05, bounds=(0, 0.9))

    # Places and people
    default_region: str = var("Region of phone numbers written without +, e.g. FR; empty: none.", "")
    default_timezone: str = var("Time zone of a sender that names none.", "UTC")

    def __post_init__(self) -> None:
        problems = [p for f in fields(self) if (p := _out_of_bounds(f, getattr(self, f.name)))]
        problems += _does_not_fit(self)
        if problems:
            raise BadSettings("\n".join(problems))

    @property
    def fence_seconds(self) -> float:
        """What must be left of a lease when a message is written: the deadline and a second."""
        return self.gateway_timeout_seconds + 1.0

    @property
    def alert_addresses(self) -> tuple[str, ...]:
        """The addresses of ``ALERT_URLS``, in their order; a comma inside one belongs to it."""
        return tuple(one for one in re.split(r"\s+|,\s*(?=[\w+.-]+://)", self.alert_urls) if one)

    @property
    def gateway_is_local(self) -> bool:
        """Whether the gateway's address is loopback (the simulator, in practice)."""
        host = urlsplit(self.wassenger_base_url).hostname or ""
        if host == "localhost":
            return True
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return False


def load(environ: Mapping[str, str]) -> Settings:
    """Read the settings out of ``environ``; raises BadSettings with every problem at once."""
    hints = typing.get_type_hints(Settings)
    values: dict[str, Any] = {}
    problems: list[str] = []
    for f in fields(Settings):
        name, raw = f.name.upper(), environ.get(f.name.upper(), "")
        if raw == "":
            if f.default is MISSING:
                problems.append(f"{name} is missing: {f.metadata['sentence']}")
            continue
        try:
            values[f.name] = _parse(raw, hints[f.name])
        except ValueError as error:
            shown = "(hidden)" if f.metadata["secret"] else repr(raw)
            problems.append(f"{name}={shown} cannot be used: {error}")
    if problems:
        raise BadSettings("\n".join(problems))
    return Settings(**values)


@lru_cache(maxsize=1)
def get() -> Settings:
    """Return the process's settings, read once from ``.env`` and the environment."""
    from_file = {
        k: v for k, v in dotenv_values(Path(os.environ.get("RELANCE_ENV_FILE", ".env"))).items() if v is not None
    }
    return load({**from_file, **os.environ})


def _parse(raw: str, kind: Any) -> Any:
    if typing.get_origin(kind) is Literal:
        allowed = typing.get_args(kind)
        if raw.lower() not in allowed:
            raise ValueError(f"one of {', '.join(allowed)}")
        return raw.lower()
    if kind is bool:
        if raw.lower() not in {"true", "false", "1", "0", "yes", "no"}:
            raise ValueError("true or false")
        return raw.lower() in {"true", "1", "yes"}
    if kind is int:
        if not re.fullmatch(r"-?\d+", raw.strip()):
            raise ValueError("a whole number")
        return int(raw)
    if kind is float:
        try:
            return float(raw)
        except ValueError:
            raise ValueError("a number") from None
    if kind == tuple[str, ...]:
        return tuple(word.strip() for word in raw.split(",") if word.strip())
    return raw


def _out_of_bounds(f: Any, value: Any) -> str | None:
    bounds = f.metadata["bounds"]
    if bounds is None or bounds[0] <= value <= bounds[1]:
        return None
    return f"{f.name.upper()}={value:g} is out of range: {bounds[0]:g} to {bounds[1]:g}"


def _does_not_fit(s: Settings) -> list[str]:
    """Say what does not fit together, or has a shape that numbers alone cannot check."""
    problems = []
    for name, least in (("secret_key", 32), ("bootstrap_api_key", 24), ("wassenger_webhook_secret", 16)):
        if len(getattr(s, name)) < least:
            problems.append(f"{name.upper()}=(hidden) is too short: at least {least} characters")
    if bool(s.admin_email) != bool(s.admin_password):
        problems.append("ADMIN_EMAIL and ADMIN_PASSWORD belong together: set both or neither")
    elif s.admin_email and not re.fullmatch(r"[^@\s]+@[^@\s]+", s.admin_email):
        problems.append(f"ADMIN_EMAIL={s.admin_email!r} is not like ana@example.org")
    if s.wassenger_require_signature and not s.wassenger_signing_secret:
        problems.append("WASSENGER_REQUIRE_SIGNATURE=true needs WASSENGER_SIGNING_SECRET")
    if s.ssl_cert_file and (flaw := _no_certificates(s.ssl_cert_file)):
        problems.append(f"SSL_CERT_FILE={s.ssl_cert_file!r} cannot be used: {flaw}")
    if s.time_scale != 1 and not s.gateway_is_local:
        problems.append(
            f"TIME_SCALE={s.time_scale:g} is refused: WASSENGER_BASE_URL is not loopback, real numbers get real waits"
        )
    if s.wassenger_device_id and not re.fullmatch(r"[0-9a-f]{24}", s.wassenger_device_id):
        problems.append(f"WASSENGER_DEVICE_ID={s.wassenger_device_id!r} is not 24 hex digits")
    if urlsplit(s.wassenger_base_url).scheme not in {"http", "https"}:
        problems.append(f"WASSENGER_BASE_URL={s.wassenger_base_url!r} is not an http(s) address")
    for name in ("inbox_kept_days", "events_kept_days"):
        if 0 < getattr(s, name) < LEAST_KEPT_DAYS:  # a webhook that comes again must find itself
            problems.append(f"{name.upper()}={getattr(s, name):g} is too short: 0 or at least {LEAST_KEPT_DAYS:g}")
    for number, address in enumerate(s.alert_addresses, 1):
        if not re.match(r"[a-z][\w+.-]*://\S", address):
            problems.append(f"ALERT_URLS=(hidden): address {number} is not like mailto://… or json://host/path")
    if s.heartbeat_url and urlsplit(s.heartbeat_url).scheme not in {"http", "https"}:
        problems.append("HEARTBEAT_URL=(hidden) is not an http(s) address")
    if s.default_timezone not in available_timezones():
        problems.append(f"DEFAULT_TIMEZONE={s.default_timezone!r} is not an IANA time zone such as Europe/Paris")
    if s.default_region and not re.fullmatch(r"[A-Z]{2}", s.default_region):
        problems.append(f"DEFAULT_REGION={s.default_region!r} is not two capital letters such as FR")
    clock = r"([01]\d|2[0-3]):[0-5]\d"
    for name, hours in (("QUIET_HOURS", s.quiet_hours), ("CAREFUL_QUIET_HOURS", s.careful_quiet_hours)):
        if hours and not re.fullmatch(f"{clock}-{clock}", hours):
            problems.append(f"{name}={hours!r} is not like 21:00-08:00")
        elif hours and hours[:5] == hours[6:]:
            problems.append(f"{name}={hours!r} begins when it ends: leave it empty for none")
    return problems


def _no_certificates(file: str) -> str | None:
    """Say why a file cannot be trusted from; None if it can."""
    try:
        ssl.create_default_context(cafile=file)
    except OSError as error:  # an SSLError is one
        return error.strerror or str(error)
    return None
