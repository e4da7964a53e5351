"""The settings, read from the environment and from `.env`; `.env.example` explains each."""

from __future__ import annotations

import base64
import binascii
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

TELEGRAM = "https://api.telegram.org"


class SettingsRefused(Exception):
    """A setting is invalid; the message is a sentence with its name and the remedy."""


class Settings(BaseSettings):
    """The settings of an operator. None is required for a conversation in the terminal."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", extra="ignore", env_ignore_empty=True
    )

    data_dir: Path = Field(Path("data"), description="Folder of the database, the key store and the operator's key.")
    operator: str = Field(
        "The person who set me up", description="Who runs this copy, as clients read it. Begins a sentence."
    )
    operator_key: SecretStr | None = Field(
        None, description="The operator's key, 32 bytes in base64; without it the file operator.key is made and used."
    )
    lines_file: Path | None = Field(
        None, description="The operator's own help lines; without it lines.toml in DATA_DIR is used, if it is there."
    )
    bot_token: SecretStr | None = Field(None, description="The bot's token from @BotFather. Only for Telegram.")
    bot_api_url: str = Field(TELEGRAM, description="The Bot API server to talk to.")
    http_client: Literal["aiohttp", "httpx"] = Field(
        "aiohttp", description="The HTTP client that sends requests: aiohttp (faster) or httpx."
    )
    http_proxy: SecretStr | None = Field(None, description="The proxy for a Bot API server at an http address.")
    https_proxy: SecretStr | None = Field(None, description="The proxy for one at an https address, as Telegram's.")
    all_proxy: SecretStr | None = Field(None, description="The proxy where neither of the two is set.")
    no_proxy: str = Field("", description="Hosts that are reached without a proxy, with commas between them.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="How much is logged.")

    @field_validator("operator_key")
    @classmethod
    def _is_a_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is None or not key.get_secret_value():
            return None
        try:
            length = len(base64.b64decode(key.get_secret_value(), validate=True))
        except binascii.Error:
            length = 0
        if length != 32:
            raise ValueError("must be 32 bytes in base64, as `openssl rand -base64 32` prints them")
        return key

    @field_validator("bot_token")
    @classmethod
    def _is_not_empty(cls, token: SecretStr | None) -> SecretStr | None:
        return token if token and token.get_secret_value() else None

    def own_lines(self) -> Path | None:
        """The path of the operator's file of help lines; None if there is none.

        Raises `SettingsRefused` if LINES_FILE names a missing file, so that lines are not lost unnoticed.
        """
        if self.lines_file is None:
            usual = self.data_dir / "lines.toml"
            return usual if usual.exists() else None
        if not self.lines_file.is_file():
            raise SettingsRefused(f"LINES_FILE names {self.lines_file}, which is no file; put it there, or unset it.")
        return self.lines_file

    def proxy(self) -> str | None:
        """The proxy between us and the Bot API server; None if it is reached without one, as on this machine.

        Raises `SettingsRefused` for one that is not an http or https address.
        """
        server = urlsplit(self.bot_api_url)
        name, port = ("https_proxy", 443) if server.scheme == "https" else ("http_proxy", 80)
        name, given = next(
            ((each, value) for each in (name, "all_proxy") if (value := getattr(self, each)) is not None), ("", None)
        )
        host = server.hostname or ""
        if given is None or _is_here(host) or self._is_without_proxy(host, server.port or port):
            return None
        address = given.get_secret_value()
        address = address if "://" in address else f"http://{address}"
        if urlsplit(address).scheme not in {"http", "https"} or not urlsplit(address).hostname:
            raise SettingsRefused(
                f"{name.upper()} is not the address of an HTTP proxy: it must begin with http:// or https://."
            )
        return address

    def _is_without_proxy(self, host: str, port: int) -> bool:
        """Whether `no_proxy` names this host, what its name ends with, or the host with its port."""
        for entry in self.no_proxy.replace(",", " ").split():
            name = entry.lower().removeprefix("*").removeprefix(".")
            if name in {"", host, f"{host}:{port}"} or host.endswith(f".{name}"):
                return True
        return False

    def key_bytes(self) -> bytes | None:
        """The operator's key, 32 bytes; None if it is in the file operator.key."""
        return base64.b64decode(self.operator_key.get_secret_value()) if self.operator_key else None


def _is_here(host: str) -> bool:
    """Whether a host is this very machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def read() -> Settings:
    """Read the settings of this process. Raises `SettingsRefused` with a sentence for each invalid one."""
    try:
        return Settings()  # type: ignore[call-arg]  # every field has a default
    except ValidationError as error:
        sentences = [f"{str(e['loc'][0]).upper()} {e['msg'].removeprefix('Value error, ')}." for e in error.errors()]
        raise SettingsRefused(" ".join(sentences)) from None
