"""What users of valkey-glide do: PORT PORT …"""

import asyncio
import sys

from glide import (
    Batch,
    ClusterBatch,
    GlideClient,
    GlideClientConfiguration,
    GlideClusterClient,
    GlideClusterClientConfiguration,
    NodeAddress,
)

PORTS = [int(port) for port in sys.argv[1:]]
TIMEOUT_MS = 20_000


def same(got, expected):
    assert got == expected, f"{got!r} is not {expected!r}"


async def cluster_mode(seed):
    config = GlideClusterClientConfiguration([NodeAddress("127.0.0.1", seed)], request_timeout=TIMEOUT_MS)
    client = await GlideClusterClient.create(config)
    keys = [f"glide:{seed}:{number}" for number in range(300)]
    await asyncio.gather(*(client.set(key, key) for key in keys))
    same(await asyncio.gather(*(client.get(key) for key in keys)), [key.encode() for key in keys])
    same(await client.mget(keys), [key.encode() for key in keys])
    same(await client.delete(keys[:200]), 200)
    same(await client.hset("hash", {"a": "1"}), 1)
    same(await client.hgetall("hash"), {b"a": b"1"})
    batch = ClusterBatch(is_atomic=True)
    batch.set("{t}a", "1")
    batch.incr("{t}a")
    same(await client.exec(batch, raise_on_error=True), ["OK", 2])
    same(await client.delete(keys[200:] + ["hash", "{t}a"]), 102)
    same(await client.dbsize(), 0)
    await client.close()


async def plain_mode(port):
    config = GlideClientConfiguration([NodeAddress("127.0.0.1", port)], request_timeout=TIMEOUT_MS)
    client = await GlideClient.create(config)
    keys = [f"glide:{number}" for number in range(100)]
    await client.mset({key: key for key in keys})
    same(await client.mget(keys), [key.encode() for key in keys])
    batch = Batch(is_atomic=False)
    for key in keys:
        batch.get(key)
    same(await client.exec(batch, raise_on_error=True), [key.encode() for key in keys])
    same(await client.delete(keys), 100)
    await client.close()


async def main():
    for port in PORTS:
        await cluster_mode(port)
        await cluster_mode(port + 1000)
        await plain_mode(port)


asyncio.run(main())
