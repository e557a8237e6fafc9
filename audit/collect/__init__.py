"""Reading a live AWS account. Clients are handed in; nothing is opened here, and nothing but reads is called."""

from audit.collect.account import PERMISSIONS, Account, collect, list_regions, steps
from audit.collect.reader import Ask, Reader

__all__ = ["PERMISSIONS", "Account", "Ask", "Reader", "collect", "list_regions", "steps"]
