"""A network that can be broken: `python -m faults.proxy redis=6379 mail=25` listens at a port for each server.

Its first line of output tells the ports, as JSON. Each line of input is an order, as JSON: `{"name": "redis", "mode":
"blackhole"}`, with `"target": 2525` to lead somewhere else from then on; each is answered by a line. It ends with its
input, so that it never outlives who started it.

Modes: ``ok`` forwards; ``cut`` ends what is open and refuses what is new; ``blackhole`` takes everything and answers
nothing; ``slow`` forwards each piece half a second late.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress

LOOPBACK = "127.0.0.1"
SLOW_SECONDS = 0.5
PIECE = 65_536


class Way:
    """The way to one server."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self._mode = "ok"
        self._listening: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def listen(self) -> None:
        """Take connections, at the same port each time."""
        self._listening = await asyncio.start_server(self._connected, LOOPBACK, self.port)
        self.port = self._listening.sockets[0].getsockname()[1]

    async def become(self, mode: str) -> None:
        """Change the way's mode. What was open in another mode ends, as what got lost on the way never arrives."""
        is_listening = self._listening is not None
        self._mode = mode
        if mode in ("ok", "cut"):
            for writer in list(self._open):
                writer.transport.abort()
        if mode == "cut" and self._listening is not None:
            self._listening.close()
            self._listening = None
        elif mode != "cut" and not is_listening:
            await self.listen()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        beyond: asyncio.StreamWriter | None = None
        try:
            while self._mode == "blackhole":
                await asyncio.sleep(0.1)
            answers, beyond = await asyncio.open_connection(LOOPBACK, self.target)
            self._open.add(beyond)
            await asyncio.gather(self._forward(reader, beyond), self._forward(answers, writer))
        except OSError:
            writer.transport.abort()  # The server beyond is away, and so is the way to it.
        finally:
            for end in (writer, beyond):
                if end is not None:
                    self._open.discard(end)
                    end.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while piece := await reader.read(PIECE):
                if self._mode == "slow":
                    await asyncio.sleep(SLOW_SECONDS)
                while self._mode == "blackhole":
                    await asyncio.sleep(0.1)
                writer.write(piece)
                await writer.drain()
        writer.close()


async def serve(ways: dict[str, Way]) -> None:
    """Forward until the input ends."""
    for way in ways.values():
        await way.listen()
    print(json.dumps({name: way.port for name, way in ways.items()}), flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        order = json.loads(line)
        way = ways[order["name"]]
        way.target = order.get("target", way.target)
        await way.become(order["mode"])
        print("done", flush=True)


def main(arguments: list[str]) -> None:
    """Serve the ways that are named."""
    pairs = (argument.split("=") for argument in arguments)
    asyncio.run(serve({name: Way(int(target)) for name, target in pairs}))


if __name__ == "__main__":
    main(sys.argv[1:])
