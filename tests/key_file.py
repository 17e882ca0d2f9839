"""A file of keys, as an operator keeps it."""

from pathlib import Path

from streaming.http import keys


class KeyFile:
    """A file of keys; each change replaces it by another, as editors do."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: dict[str, str] = {}
        self.write()

    def add(self, key_id: str, scopes: str, **options: str) -> str:
        """Add a key, or replace the one with this id; return it."""
        key = keys.new_key(key_id)
        self._lines[key_id] = keys.line_of(key, scopes, options)
        self.write()
        return key

    def change(self, key_id: str, scopes: str, **options: str) -> None:
        """Give a key other scopes and options."""
        digest = self._lines[key_id].split()[1]
        given = [f"{name}={value}" for name, value in options.items()]
        self._lines[key_id] = " ".join([key_id, digest, scopes, *given])
        self.write()

    def remove(self, key_id: str) -> None:
        """Remove a key."""
        del self._lines[key_id]
        self.write()

    def write(self, more: str = "") -> None:
        """Write the file, with more lines at the end."""
        other = self.path.with_suffix(".new")
        other.write_text("\n".join(["# who may do what", *self._lines.values(), more]))
        other.replace(self.path)
