# SPDX-License-Identifier: Apache-2.0
"""A proxy between clients and a broker that cuts connections around Produce requests.

Kafka's protocol: a frame is its length (four bytes) and that many bytes. A request begins with its
kind and version (two bytes each) and a number (four bytes), with which its answer begins."""

import asyncio
import contextlib
import threading

PRODUCE = 0


class CuttingProxy:
    """Listens on 127.0.0.1:`port` and passes on to 127.0.0.1:`target`; a thread of its own.
    `plan(number)` says of each Produce request, counted from 1, how it fares:
      None       it passes
      "request"  only half of it reaches the broker, then the connection ends
      "answer"   the broker does it, and the connection ends instead of the answer"""

    def __init__(self, port, target, plan):
        self.port = port
        self.target = target
        self.plan = plan
        self.requests = 0
        self.cuts = {"request": 0, "answer": 0}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(self, *exception):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _listen(self):
        await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _serve(self, reader, writer):
        gone = (OSError, asyncio.IncompleteReadError)
        writers = [writer]
        with contextlib.suppress(*gone):
            to_read, to_write = await asyncio.open_connection("127.0.0.1", self.target)
            writers.append(to_write)
            lost = set()
            ways = [asyncio.ensure_future(self._requests(reader, to_write, lost)),
                    asyncio.ensure_future(self._answers(to_read, writer, lost))]
            # The end of one way is the end of both.
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        for one in writers:
            one.close()

    async def _requests(self, reader, writer, lost):
        while True:
            frame = await read_frame(reader)
            fate = None
            if int.from_bytes(frame[4:6], "big") == PRODUCE:
                self.requests += 1
                fate = self.plan(self.requests)
            if fate == "request":
                self.cuts[fate] += 1
                writer.write(frame[:len(frame) // 2])
                await writer.drain()
                return
            if fate == "answer":
                lost.add(frame[8:12])
            writer.write(frame)
            await writer.drain()

    async def _answers(self, reader, writer, lost):
        while True:
            frame = await read_frame(reader)
            if frame[4:8] in lost:
                self.cuts["answer"] += 1
                return
            writer.write(frame)
            await writer.drain()


async def read_frame(reader):
    """With its length."""
    head = await reader.readexactly(4)
    return head + await reader.readexactly(int.from_bytes(head, "big"))
