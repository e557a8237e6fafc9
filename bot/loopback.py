"""A fence for the demo: this process talks to this machine and to nothing else."""

import sys
from ipaddress import ip_address

_CONNECTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_LOOKUPS = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
_LOCAL_NAMES = frozenset({"localhost", "", None})


def fence_in() -> None:
    """Refuse, from now on and for good, every connection and look-up beyond the loopback interface.

    The interpreter calls the hook before the system call (PEP 578), whichever library asks by Python's sockets; it cannot be
    taken off again. The served event loop (uvloop) asks the system by itself: nothing connects or looks up by it.
    """
    sys.addaudithook(_refuse_beyond_loopback)


def _refuse_beyond_loopback(event: str, args: tuple[object, ...]) -> None:
    if event in _CONNECTS and isinstance(args[-1], tuple):
        _refuse(args[-1][0])
    elif event in _LOOKUPS:
        _refuse(args[0])


def _refuse(host: object) -> None:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if name in _LOCAL_NAMES or _is_loopback(str(name)):
        return
    raise PermissionError(f"this bot may talk to this machine only, not to {name}")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
