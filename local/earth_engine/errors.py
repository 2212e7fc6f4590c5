"""Errors as the real service words them."""


class EngineError(Exception):
    """An error answer: HTTP status and the message the client shows."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


def asset_not_found(kind: str, asset_id: str) -> EngineError:
    """What the service answers for an asset that is not there or not readable."""
    return EngineError(
        f"{kind}.load: {kind} asset '{asset_id}' not found (does not exist or caller does not have access)."
    )
