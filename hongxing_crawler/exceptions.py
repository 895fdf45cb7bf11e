"""One tree of errors, grouped by who has to act."""


class HongxingError(Exception):
    """Base of every error of ours; the message says what, where and what next."""


class ConfigError(HongxingError):
    """The operator has to correct a file, a flag or an environment variable."""


class ArchiveError(HongxingError):
    """A WARC, index or package cannot be written or is damaged; the crawl stops."""


class StateError(HongxingError):
    """The state database is locked, damaged, read-only or from another version."""


class DiskFullError(StateError):
    """The disk of the state database is full; nothing of the transaction was kept."""


class LockedError(HongxingError):
    """Another run holds the home directory; come back later."""


class PageError(HongxingError):
    """One page cannot be used; it is rejected with a reason and the crawl goes on."""


class UploadError(HongxingError):
    """The bucket is away, or the upload broke off; files stay in the outbox."""


class StorageError(UploadError):
    """The bucket refuses, and a person has to change something; files stay in the outbox."""


class ConflictError(UploadError):
    """Another object lies under the key of one of ours; it is never overwritten."""
