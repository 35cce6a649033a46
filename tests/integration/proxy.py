# SPDX-License-Identifier: Apache-2.0
"""A network that misbehaves: a TCP proxy between workers and brokers. ops/kafka has a listener for it, which tells clients to come to the
proxy's port.

A fault is what happens to bytes while it lasts: a coroutine of the connection, the bytes and their way, which returns the bytes to pass on.
What a fault has torn is closed when it heals, as a stream with a hole is of no use to anybody."""
import asyncio
import functools
import threading

REQUEST, ANSWER = "request", "answer"
ADVERTISED, BEHIND = 5, 4  # above a broker's port: the proxy, and the listener that it passes on to


def ports(kafka):
    return [int(address.rsplit(":", 1)[1]) for address in kafka.brokers.split(",")]


def proxied(kafka):
    """The bootstrap list by way of the proxy."""
    return ",".join(f"127.0.0.1:{port + ADVERTISED}" for port in ports(kafka))


class Link:
    def __init__(self, proxy, writer):
        self.proxy, self.writers, self.is_torn = proxy, [writer], False

    def cut(self):
        for writer in self.writers:
            writer.transport.abort()


async def delays(link, data, way):
    await asyncio.sleep(link.proxy.draw.uniform(0, 2))
    return data


async def cuts(link, data, way):
    """In the middle of a frame, more often than not."""
    if link.proxy.draw.random() < 0.3:
        link.writers[way == REQUEST].write(data[:len(data) // 2])
        link.cut()
    return data


async def goes_silent(link, data, way):
    """Half open: connections are accepted, and nothing ever comes back."""
    link.is_torn = True
    await link.proxy.healed.wait()
    return b""


async def loses(lost, link, data, way):
    link.is_torn |= way == lost
    return b"" if way == lost else data


FAULTS = {"delays": delays, "cuts": cuts, "goes silent": goes_silent, "loses requests": functools.partial(loses, REQUEST),
          "loses answers": functools.partial(loses, ANSWER)}


class Proxy:
    """Runs in a thread of its own. Its clients are given proxied(kafka). `hits` is how many pieces the fault of now got hold of."""

    def __init__(self, kafka, draw):
        self.draw, self.fault, self.hits, self.links = draw, None, 0, set()
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.servers = [self.call(self.serve(port)) for port in ports(kafka)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.servers:
            self.loop.call_soon_threadsafe(server.close)
        self.call(self.change(None))
        self.loop.call_soon_threadsafe(self.loop.stop)

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def misbehave(self, name):
        self.hits = 0
        self.call(self.change(FAULTS[name]))

    def heal(self):
        self.call(self.change(None))

    async def change(self, fault):
        if self.fault:
            self.healed.set()
            for link in [link for link in self.links if link.is_torn]:
                link.cut()
        self.fault, self.healed = fault, asyncio.Event()

    async def serve(self, port):
        return await asyncio.start_server(functools.partial(self.accept, port + BEHIND), "127.0.0.1", port + ADVERTISED)

    async def accept(self, port, reader, writer):
        link = Link(self, writer)
        self.links.add(link)
        try:
            behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", port)
            link.writers.append(behind_writer)
            ways = [asyncio.create_task(self.pass_on(link, reader, behind_writer, REQUEST)),
                    asyncio.create_task(self.pass_on(link, behind_reader, writer, ANSWER))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        except OSError:
            pass  # the broker is away: so are we
        finally:
            link.cut()
            self.links.discard(link)

    async def pass_on(self, link, reader, writer, way):
        try:
            while data := await reader.read(65536):
                if self.fault:
                    self.hits += 1
                    data = await self.fault(link, data, way)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass  # cut
