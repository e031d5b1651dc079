"""The store: one SQL database behind whole transactions. :class:`SqlStore` is all others need."""

from integrationd.store.sqlstore import SqlStore

__all__ = ["SqlStore"]
