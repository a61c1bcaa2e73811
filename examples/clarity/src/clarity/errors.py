"""Everything that can go wrong in Clarity, as callers are meant to handle it."""

from __future__ import annotations


class ClarityError(Exception):
    """The base of all errors that Clarity raises on purpose."""


class ConfigurationError(ClarityError):
    """A setting is missing or makes no sense."""


class StorageError(ClarityError):
    """A record could not be stored or read."""


class RecordNotFoundError(StorageError):
    """There is no such record."""


class ConflictError(StorageError):
    """The record was changed by someone else in the meantime."""


class ThrottledError(StorageError):
    """The table refused the request for now; trying again later is safe."""


class MessagingError(ClarityError):
    """A message could not be sent, received or acknowledged."""


class ModelNotLoadedError(ClarityError):
    """A prediction was asked for, but no model is there to make it."""


class InvalidActigraphyError(ClarityError):
    """The movement data cannot be analysed."""
