"""What ministack's Lambda workers use of ``zipfile``: an archive is unpacked once for all of them.

ministack unpacks a function's code and layers for each worker, and removes them when it stops: a
thousand files. Here a worker gets links to one unpacked copy, which no function writes to: on AWS
they cannot.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile, LargeZipFile

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["BadZipFile", "LargeFileError", "ZipFile"]

LargeFileError = LargeZipFile
"""ministack asks for it by this name."""

_unpacking = threading.Lock()


class ZipFile(zipfile.ZipFile):
    """An archive whose contents are linked, not copied, to where they are wanted."""

    def namelist(self) -> list[str]:
        """What ``extractall`` makes: the names at the top of the archive."""
        return sorted({name.partition("/")[0] for name in super().namelist()})

    def extractall(
        self,
        path: str | os.PathLike[str] | None = None,
        members: Iterable[str | zipfile.ZipInfo] | None = None,
        pwd: bytes | None = None,
    ) -> None:
        """Link each name at the top of the archive into a folder."""
        if members is not None or pwd is not None:
            raise NotImplementedError("ministack unpacks whole archives")
        unpacked = self._unpacked()
        for name in self.namelist():
            Path(path or os.curdir, name).symlink_to(unpacked / name)

    def _unpacked(self) -> Path:
        """The one copy in the temporary folder, which is complete when it has its name."""
        contents = repr([(file.filename, file.CRC, file.file_size) for file in self.infolist()])
        digest = hashlib.sha256(contents.encode()).hexdigest()
        folder = Path(tempfile.gettempdir(), f"unpacked-{digest}")
        with _unpacking:
            if not folder.exists():
                parts = Path(tempfile.mkdtemp(prefix="unpacking-"))
                for file in self.infolist():
                    self.extract(file, parts)
                parts.rename(folder)
        return folder
