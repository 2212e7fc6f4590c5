"""What can go wrong, told apart by what to do about it: retry, split, or never again."""


class LandcoverError(Exception):
    """Base of every error this project raises on purpose."""


class RetryLaterError(LandcoverError):
    """Transient: the same work may succeed later. Raised to the caller so that Pub/Sub delivers again."""


class DeploymentError(RetryLaterError):
    """Something is wrong with the deployment, not with the message: permission, registration, quota. Retried, since it
    heals by time or by an operator's hand, and told apart so that an alert can name it."""


class CollectionMissingError(DeploymentError):
    """The configured image collection cannot be read: it does not exist, or not for this account, or not yet."""


class TooBigError(LandcoverError):
    """The request exceeded a limit of the service: split it and try the parts."""


class TileMemoryError(TooBigError):
    """A tile of the computation needed too much memory: smaller tiles may do before smaller work."""


class TooManyAggregationsError(TooBigError):
    """Too many aggregations in one request, or in all of the project's requests together."""


class NeverError(LandcoverError):
    """The same work can never succeed: record it and acknowledge."""


class InvalidMessageError(NeverError):
    """A message body that does not fit its contract."""


class OverCeilingError(NeverError):
    """A registration that would take the register over what one deployment watches."""


class InvalidRowsError(NeverError):
    """BigQuery refused rows because of their content."""


class UntrustedCallerError(NeverError):
    """A push that does not carry the identity token of the account that may push."""


class SettingsError(NeverError):
    """An environment variable is missing or malformed."""


class UserInputError(NeverError):
    """Input of a person at the command line that cannot be used; the message is one plain sentence."""
