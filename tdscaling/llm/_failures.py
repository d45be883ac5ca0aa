"""What a failed request means.

Enters: an exception of the client. Leaves: whether the endpoint can be used at all, and why not,
in one paragraph without the key.
"""

from __future__ import annotations

import openai

PASSING = (ValueError, KeyError, TypeError, AttributeError, IndexError)
"""What the client raises, besides its own errors, over replies that are no replies."""

LONGEST = 300
"""Characters of an endpoint's own words that an error repeats."""


def unusable(error: Exception) -> str | None:
    """Why the endpoint cannot be used at all, and what to type; None if only this request failed.

    A request that was refused for its content, a rate limit that outlasted the retries, a 5xx and
    a timeout fail one attempt: the next one may pass.
    """
    if isinstance(error, openai.APIConnectionError):  # a timeout is one, too
        # By name, because which library the client sends with differs between its versions.
        return _unreachable(error) if "Connect" in type(_root(error)).__name__ else None
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
    if isinstance(error, openai.RateLimitError) and error.code == "insufficient_quota":
        return f"its quota is used up (429: {said(error)}); type another llm.base_url or key"
    return None


def said(error: Exception) -> str:
    """An error's own words, shortened, on one line."""
    body = getattr(error, "body", None)
    told = body.get("message") if isinstance(body, dict) else None
    text = " ".join(str(told or error).split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def failed(error: Exception) -> str:
    """Why one request left nothing usable."""
    if isinstance(error, openai.APITimeoutError):
        return "timeout: no reply in time"
    if isinstance(error, openai.APIConnectionError):
        root = _root(error)
        return f"connection lost: {str(root) or type(root).__name__}"
    if isinstance(error, openai.APIStatusError):
        return f"status {error.status_code}: {said(error)}"
    return f"malformed reply: {said(error)}"


def _root(error: BaseException) -> BaseException:
    """The transport's error below those of the client."""
    while error.__cause__ is not None and isinstance(error, openai.APIError):
        error = error.__cause__
    return error


def _unreachable(error: Exception) -> str:
    reason = _root(error)
    below = reason.__cause__ or reason.__context__
    words = str(reason) or str(below or type(reason).__name__)
    return (
        f"it cannot be reached ({words}); start the server, or type llm.base_url=URL with the"
        " address of one that runs"
    )
