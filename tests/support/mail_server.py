"""A mail server on loopback that takes every message and keeps it."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.messages: list[Message] = []


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, _Server)
        self.wfile.write(b"220 ready\r\n")
        while line := self.rfile.readline():
            command = line[:4].upper()
            if command == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = list(iter(self.rfile.readline, b".\r\n"))
                self.server.messages.append(message_from_bytes(b"".join(lines)))
            if command == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            self.wfile.write(b"250 ok\r\n")


@contextmanager
def mail_server() -> Iterator[tuple[int, list[Message]]]:
    """Its port, and the messages that came until now."""
    with _Server() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_address[1], server.messages
        finally:
            server.shutdown()
            thread.join()


def text_of(message: Message) -> str:
    """Subject and text of a message, decoded."""
    parts = [part for part in message.walk() if part.get_content_maintype() == "text"]
    bodies = [bytes(part.get_payload(decode=True)).decode() for part in parts]  # type: ignore[arg-type]
    return "\n".join([str(message["Subject"]), *bodies])
