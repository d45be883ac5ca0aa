"""Endpoints with the shipped settings."""

from __future__ import annotations

from typing import Any

from omegaconf import OmegaConf

from tdscaling.configuration import conf_dir
from tdscaling.llm.openai import OpenAIEndpoint


def endpoint(base_url: str | None, **changed: Any) -> OpenAIEndpoint:
    """The endpoint of `conf/llm/openai.yaml` with some settings changed, and no retries."""
    shipped: Any = OmegaConf.to_container(OmegaConf.load(conf_dir() / "llm" / "openai.yaml"))
    del shipped["_target_"]
    settings = {**shipped, "base_url": base_url, "model": "m", "retries": 0, **changed}
    return OpenAIEndpoint(**settings)
