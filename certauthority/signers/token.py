"""The PKCS#11 token that holds the keys of the CAs: one session for each process, which one thread uses at a time.

The PIN stands in no log line and no exception: what the library says is replaced by sentences of ours.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import pkcs11
from django.conf import settings
from pkcs11 import exceptions
from pkcs11.types import SignMixin

from certauthority.errors import SigningUnavailable

if TYPE_CHECKING:
    from pkcs11._pkcs11 import lib as Library  # noqa: N812  a class, whatever its name

Result = TypeVar("Result")

_GONE = (
    exceptions.NoSuchToken,
    exceptions.TokenNotPresent,
    exceptions.TokenNotRecognised,
    exceptions.DeviceRemoved,
    exceptions.SlotIDInvalid,
)
_WRONG_PIN = (exceptions.PinIncorrect, exceptions.PinInvalid, exceptions.PinLenRange)


class Token:
    """The token that the settings name. Its session is opened at the first use, and again where it was lost."""

    def __init__(self) -> None:
        self.label = str(settings.PKCS11_TOKEN)
        self._module = str(settings.PKCS11_MODULE)
        self._lock = threading.RLock()
        self._session: pkcs11.Session | None = None
        self._started: Library | None = None
        self._is_inherited = False
        self._refusal = ""
        # Keys by whatever their users call them: a handle is good for as long as its session.
        self.handles: dict[object, SignMixin] = {}

    def use(self, work: Callable[[pkcs11.Session], Result], *, repeatable: bool = True) -> Result:
        """Do something in the session; once more in a fresh one where it fails, unless it must not be repeated.

        Raises:
            SigningUnavailable: the token is away, locked, refuses the PIN, or cannot do it.
        """
        with self._lock:
            try:
                return work(self._opened())
            except exceptions.PKCS11Error as error:
                self._close()
                if not repeatable:
                    raise self._unavailable(error) from None
            except SigningUnavailable:
                self._close()  # What a session does not find, another may.
                raise
            try:
                return work(self._opened())
            except exceptions.PKCS11Error as error:
                self._close()
                raise self._unavailable(error) from None

    def leave_to_parent(self) -> None:
        """After a fork the session is the parent's. A child begins anew (PKCS #11 Usage Guide v2.40)."""
        self._lock = threading.RLock()
        self._session = None
        self.handles.clear()
        self._is_inherited = True

    def close(self) -> None:
        """End the session."""
        with self._lock:
            self._close()

    def _opened(self) -> pkcs11.Session:
        if self._session is not None:
            return self._session
        if self._refusal:
            # Not tried again: after a few wrong PINs a token locks itself.
            raise SigningUnavailable(self._refusal)
        try:
            token = self._library().get_token(token_label=self.label)
            self._session = token.open(user_pin=str(settings.PKCS11_PIN))
        except _WRONG_PIN:
            self._close()
            self._refusal = (
                f"The token {self.label} does not open with PKCS11_PIN. Set the right PIN and start again: after a few "
                "wrong ones a token locks itself."
            )
            raise SigningUnavailable(self._refusal) from None
        except exceptions.PinLocked:
            self._close()
            self._refusal = (
                f"The token {self.label} is locked after too many wrong PINs. Its security officer unlocks it."
            )
            raise SigningUnavailable(self._refusal) from None
        return self._session

    def _library(self) -> Library:
        if not os.path.isfile(self._module):
            raise SigningUnavailable(f"There is no PKCS#11 module {self._module}. Correct PKCS11_MODULE.")
        try:
            library = self._started = pkcs11.lib(self._module)
            if self._is_inherited:
                with suppress(exceptions.PKCS11Error):
                    library.finalize()
                self._is_inherited = False
                library = self._started = pkcs11.lib(self._module)
        except (exceptions.PKCS11Error, AttributeError, OSError):
            raise SigningUnavailable(
                f"The PKCS#11 module {self._module} cannot be loaded. See that PKCS11_MODULE names the right library, "
                "and that its own configuration is good."
            ) from None
        return library

    def _close(self) -> None:
        """Let go of session and library: a module finds a token that came back only after a new start."""
        session, self._session = self._session, None
        self.handles.clear()
        if session is not None:
            with suppress(exceptions.PKCS11Error):
                session.close()
        library, self._started = self._started, None
        if library is not None:
            with suppress(exceptions.PKCS11Error):
                library.finalize()

    def _unavailable(self, error: exceptions.PKCS11Error) -> SigningUnavailable:
        if isinstance(error, exceptions.MultipleTokensReturned):
            return SigningUnavailable(f"Several tokens have the label {self.label}. Give each a label of its own.")
        if isinstance(error, _GONE):
            return SigningUnavailable(
                f"The token {self.label} is not there. Connect it, and see that PKCS11_TOKEN is its label."
            )
        # The kind alone: the library's own texts may quote what it was given.
        kind = type(error).__name__
        return SigningUnavailable(f"The token {self.label} failed ({kind}). See that it is connected and works.")


_token: Token | None = None
_guard = threading.Lock()


def current() -> Token:
    """The token of this process."""
    global _token  # noqa: PLW0603  a process has one, as its module has one state
    with _guard:
        if _token is None:
            _token = Token()
        return _token


def forget() -> None:
    """End the session, and read the settings anew at the next use."""
    global _token
    with _guard:
        token, _token = _token, None
    if token is not None:
        token.close()


def _after_fork() -> None:
    global _guard  # noqa: PLW0603  another thread of the parent may have held it
    _guard = threading.Lock()
    if _token is not None:
        _token.leave_to_parent()


os.register_at_fork(after_in_child=_after_fork)
