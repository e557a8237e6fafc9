"""The one folder that scripts may be run from, and what a file in it must be like.

A file is opened once, without following a link, and looked at through what was opened; so nobody can swap it between the
look and the reading.
"""

import errno
import hashlib
import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from audit.errors import Cause, PermanentActionError
from audit.wording import nearest

LARGEST = 1024 * 1024
_EXECUTABLE = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH
_FOREIGN_WRITES = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class Script:
    """A file as it was read: what runs later is this content and no other."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Return the digest that a plan shows and an approval signs."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptFolder:
    """Where scripts lie, and the user they run as where the bot may switch; without one, the bot's own."""

    folder: Path
    user: str = ""

    def read(self, name: str) -> Script:
        """Read a script.

        Raises:
            PermanentActionError: there is none, it is a link or no executable, or others than its owner may write to it.
        """
        with self._opened() as folder:
            try:
                handle = os.open(
                    name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder
                )
            except OSError as error:
                raise _refusal(name, self._why(error, name, folder)) from None
            try:
                if why := _fault(os.fstat(handle)):
                    raise _refusal(name, why)
                with os.fdopen(handle, "rb", closefd=False) as file:
                    content = file.read(LARGEST + 1)
            finally:
                os.close(handle)
        if len(content) > LARGEST:
            raise _refusal(name, f"it is larger than {LARGEST // 1024} kB")
        return Script(name, content)

    @property
    def may_switch(self) -> bool:
        """Tell whether scripts run as another user than the bot."""
        return bool(self.user) and os.geteuid() == 0 and self.account().pw_uid != 0

    def account(self) -> pwd.struct_passwd:
        """Return the user that scripts are to run as.

        Raises:
            PermanentActionError: this machine knows no such user.
        """
        try:
            return pwd.getpwnam(self.user)
        except KeyError:
            raise PermanentActionError(
                f"`scripts.user`: this machine has no user “{self.user}”", cause=Cause.NOT_CONFIGURED
            ) from None

    @contextmanager
    def _opened(self) -> Iterator[int]:
        try:
            handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise PermanentActionError(
                f"`scripts.folder` {self.folder} cannot be read ({error.strerror})",
                cause=Cause.NOT_CONFIGURED,
            ) from None
        try:
            if os.fstat(handle).st_mode & _FOREIGN_WRITES:
                raise PermanentActionError(
                    f"`scripts.folder` {self.folder}: others than its owner may write to it",
                    cause=Cause.NOT_CONFIGURED,
                )
            yield handle
        finally:
            os.close(handle)

    @staticmethod
    def _why(error: OSError, name: str, folder: int) -> str:
        if error.errno == errno.ELOOP:
            return "it is a symbolic link"
        if error.errno != errno.ENOENT:
            return str(error.strerror)
        near = nearest(name, os.listdir(folder))
        return "there is no such file" + (f"; did you mean “{near}”?" if near else "")


def _fault(found: os.stat_result) -> str:
    """Return what keeps a file from being run; empty where nothing does."""
    if not stat.S_ISREG(found.st_mode):
        return "it is no ordinary file"
    if not found.st_mode & _EXECUTABLE:
        return "it is not executable"
    if found.st_mode & (stat.S_ISUID | stat.S_ISGID):
        return "it changes the user or the group it runs as"
    if found.st_mode & _FOREIGN_WRITES:
        return "others than its owner may write to it"
    if found.st_uid not in {0, os.geteuid()}:
        return "it belongs neither to the bot's user nor to root"
    return ""


def _refusal(name: str, why: str) -> PermanentActionError:
    return PermanentActionError(f"The script “{name}” cannot be run: {why}", cause=Cause.INVALID)
