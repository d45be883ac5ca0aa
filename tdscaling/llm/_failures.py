"""What a failed request means.

Enters: an exception of the client. Leaves: whether the endpoint can be used at all, whether to try
again and when, whether it said that it has too much to do, and why the request failed, in one
paragraph.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
import httpx2
import openai

PASSING = (
    openai.OpenAIError,
    aiohttp.ClientError,  # for example an answer that is no HTTP
    httpx2.InvalidURL,  # a redirection to nowhere
    TimeoutError,
    *(ValueError, KeyError, TypeError, AttributeError, IndexError),  # over replies that are none
)
"""What the client raises."""

AGAIN = frozenset((408, 409, 429))
"""Statuses below 500 that may pass."""
OVERLOADED = frozenset((429, 502, 503, 504, 529))
"""Statuses by which servers and the proxies before them say that they have too much to do."""
LONGEST = 300
"""Characters of an endpoint's own words that an error repeats."""


def unusable(error: Exception) -> str | None:
    """Why the endpoint cannot be used at all, and what to type; None if only this request failed.

    A request that was refused for its content, a rate limit that outlasted the retries, a 5xx and
    a timeout fail one attempt: the next one may pass.
    """
    if (door := _door(error)) is not None:
        return _unreachable(door)
    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        return (
            f"it refused the key ({error.status_code}: {said(error)}); put a valid key into the"
            " environment variable that llm.api_key_env names"
        )
    if isinstance(error, openai.NotFoundError):
        return (
            f"it knows no such model or path (404: {said(error)}); type llm.model=NAME, or"
            " llm.base_url=URL, which mostly ends in /v1"
        )
    if _out_of_quota(error):
        return f"its quota is used up (429: {said(error)}); type another llm.base_url or key"
    return None


def not_found(error: BaseException) -> bool:
    """Whether the endpoint knows no such path."""
    return isinstance(error, openai.NotFoundError)


def may_pass(error: BaseException) -> bool:
    """Whether the same request may succeed if it is sent again."""
    if isinstance(error, openai.APIStatusError):
        status = error.status_code
        return (status in AGAIN or status >= 500) and not _out_of_quota(error)
    if any(isinstance(below, aiohttp.ClientSSLError) for below in _below(error)):
        return False  # a certificate stays what it is
    return isinstance(error, TimeoutError | openai.APIConnectionError)


def overloaded(error: BaseException) -> bool:
    """Whether the endpoint has too much to do."""
    if isinstance(error, openai.APIStatusError):
        return error.status_code in OVERLOADED and not _out_of_quota(error)
    return _timed_out(error)


def retry_after(error: BaseException) -> float | None:
    """Seconds for which the endpoint asked to be left alone."""
    if not isinstance(error, openai.APIStatusError):
        return None
    headers = error.response.headers
    told = headers.get("retry-after-ms")
    seconds = _number(told) / 1000 if told else _seconds(headers)
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def said(error: BaseException) -> str:
    """An error's own words, shortened, on one line, without what a terminal would act on."""
    body = getattr(error, "body", None)
    told = body.get("message") if isinstance(body, dict) else None
    text = " ".join(str(told or error).split())
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def failed(error: BaseException) -> str:
    """Why one request left nothing usable."""
    if _timed_out(error):
        return "timeout: no whole reply in time"
    if isinstance(error, openai.APIConnectionError | aiohttp.ClientError):
        root = _transport(error) or error
        return f"connection lost: {said(root) or type(root).__name__}"
    if isinstance(error, openai.APIStatusError):
        return f"status {error.status_code}: {said(error)}"
    return f"malformed reply: {said(error)}"


def _below(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those that led to it."""
    while error is not None:
        yield error
        error = error.__cause__


def _transport(error: BaseException) -> BaseException | None:
    """What the transport said. The layer above calls every lost connection a timeout."""
    found = (below for below in _below(error) if isinstance(below, aiohttp.ClientError))
    return next(found, None)


def _door(error: BaseException) -> BaseException | None:
    """Why no connection could be made at all."""
    root = _transport(error)
    no_door = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientSSLError)
    return root if isinstance(root, no_door) else None


def _timed_out(error: BaseException) -> bool:
    root = _transport(error)
    if root is not None:
        return isinstance(root, aiohttp.ServerTimeoutError)
    return isinstance(error, TimeoutError | openai.APITimeoutError)


def _out_of_quota(error: BaseException) -> bool:
    return isinstance(error, openai.RateLimitError) and error.code == "insufficient_quota"


def _unreachable(door: BaseException) -> str:
    mend = "start the server, or type llm.base_url=URL with the address of one that runs"
    if isinstance(door, aiohttp.ClientConnectorCertificateError):
        mend = "to trust a certificate of your own, set the environment variable SSL_CERT_FILE"
    elif isinstance(door, aiohttp.ClientSSLError):
        mend = "type llm.base_url=http://HOST:PORT/v1 if it speaks plain HTTP"
    return f"it cannot be reached ({said(door) or type(door).__name__}); {mend}"


def _seconds(headers: Mapping[str, str]) -> float:
    told = headers.get("retry-after", "")
    seconds = _number(told)
    if not math.isnan(seconds):
        return seconds
    until, now = _date(told), _date(headers.get("date", ""))  # clocks differ: the server's own
    return (until - (now or datetime.now(UTC))).total_seconds() if until else math.nan


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
