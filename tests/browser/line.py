"""The line of a page to the streams, which a test cuts and mends."""

from typing import Self

from playwright.async_api import Page, WebSocketRoute


class Line:
    """Connects a page's WebSockets to the server, unless it is cut."""

    def __init__(self) -> None:
        self._is_cut = False
        self._open: list[WebSocketRoute] = []

    @classmethod
    async def of(cls, page: Page) -> Self:
        """Return the line of a page that is opened after this."""
        line = cls()
        await page.route_web_socket("**/stream", line._connect)
        return line

    async def _connect(self, socket: WebSocketRoute) -> None:
        if self._is_cut:
            await socket.close()
            return
        self._open.append(socket)
        socket.connect_to_server()

    async def cut(self) -> None:
        """Close the WebSocket, and each that is opened from now on."""
        self._is_cut = True
        await self._open[-1].close()

    def mend(self) -> None:
        """Let the page connect again."""
        self._is_cut = False
