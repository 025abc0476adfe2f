"""redis-py's cluster client against one node, a cluster of one: python - MAIN_PORT PROTOCOL."""

import asyncio
import sys
import unittest

import redis
from redis.asyncio.cluster import RedisCluster as AsyncRedisCluster
from redis.cluster import RedisCluster
from redis.exceptions import ResponseError

PORT, PROTOCOL = int(sys.argv[1]), int(sys.argv[2])


def cluster(**options):
    return RedisCluster(host="127.0.0.1", port=PORT, protocol=PROTOCOL, decode_responses=True, **options)


class ClusterOfOne(unittest.TestCase):
    def setUp(self):
        self.c = cluster()
        self.addCleanup(self.c.close)
        self.c.flushall()

    def test_it_finds_the_redirect_port_by_the_main_port(self):
        nodes = self.c.get_primaries()
        self.assertEqual(len(nodes), 1)
        redirect = int(redis.Redis(port=PORT, decode_responses=True).config_get("redirect-listen")["redirect-listen"].rsplit(":")[-1])
        self.assertEqual(nodes[0].port, redirect)
        self.assertTrue(self.c.nodes_manager.slots_cache)
        self.assertEqual(len(self.c.nodes_manager.slots_cache), 16384)

    def test_single_keys(self):
        for number in range(300):
            self.assertTrue(self.c.set(f"key:{number}", number))
        self.assertEqual([self.c.get(f"key:{number}") for number in range(300)], [str(n) for n in range(300)])
        self.assertEqual(self.c.dbsize(), 300)
        self.assertEqual(len(list(self.c.scan_iter("key:*"))), 300)
        self.assertEqual(len(self.c.keys("*")), 300)

    def test_keys_of_several_slots(self):
        self.assertTrue(self.c.mset_nonatomic({"a": "1", "b": "2", "c": "3"}))
        self.assertEqual(self.c.mget_nonatomic("a", "b", "c"), ["1", "2", "3"])
        self.assertEqual(self.c.delete("a", "b", "c"), 3)
        self.assertEqual(self.c.mset({"{t}a": 1, "{t}b": 2}), True)
        self.assertEqual(self.c.mget("{t}a", "{t}b"), ["1", "2"])

    def test_pipelines_and_transactions(self):
        with self.c.pipeline() as pipe:
            for number in range(100):
                pipe.incr(f"n:{number}")
            self.assertEqual(pipe.execute(), [1] * 100)
        node = self.c.get_primaries()[0].redis_connection
        with node.pipeline(transaction=True) as pipe:
            pipe.set("{t}1", 1).incr("{t}1")
            self.assertEqual(pipe.execute(), [True, 2])
        with node.pipeline(transaction=True) as pipe:
            pipe.set("a", 1).set("b", 1)
            with self.assertRaises(ResponseError):
                pipe.execute()

    def test_reads_from_copies_work_where_there_are_none(self):
        with cluster(read_from_replicas=True) as reader:
            self.c.set("k", "v")
            self.assertEqual(reader.get("k"), "v")

    def test_what_it_can_tell(self):
        self.assertEqual(self.c.cluster_info()["cluster_state"], "ok")
        self.assertEqual(self.c.cluster_keyslot("foo"), 12182)
        nodes = self.c.cluster_nodes()
        self.assertEqual(len(nodes), 1)
        (address, node), = nodes.items()
        self.assertEqual(node["slots"], [["0", "16383"]])
        self.assertIn("master", node["flags"])
        self.assertEqual(len(self.c.cluster_myid(self.c.get_primaries()[0])), 40)
        self.c.set("foo", "1")
        self.assertEqual(self.c.cluster_countkeysinslot(12182), 1)
        self.assertEqual(self.c.cluster_get_keys_in_slot(12182, 10), ["foo"])
        self.assertEqual(self.c.cluster_links(self.c.get_primaries()[0]), [])
        shards = self.c.cluster_shards()
        self.assertEqual(shards[0]["nodes"][0]["role"], "master")
        self.assertEqual(self.c.info("cluster")["cluster_enabled"], 1)
        self.assertTrue(self.c.readonly())
        self.assertTrue(self.c.readwrite())

    def test_sharded_publish_and_subscribe(self):
        listener = self.c.pubsub()
        listener.ssubscribe("channel")
        message = listener.get_sharded_message(timeout=5)
        self.assertEqual(message["type"], "ssubscribe")
        self.c.spublish("channel", "hello")
        message = listener.get_sharded_message(timeout=5)
        self.assertEqual((message["type"], message["data"]), ("smessage", "hello"))
        listener.close()

    def test_asynchronously(self):
        async def run():
            async with AsyncRedisCluster(host="127.0.0.1", port=PORT, protocol=PROTOCOL, decode_responses=True) as c:
                await asyncio.gather(*(c.set(f"async:{number}", number) for number in range(50)))
                values = await asyncio.gather(*(c.get(f"async:{number}") for number in range(50)))
                self.assertEqual(values, [str(number) for number in range(50)])

        asyncio.run(run())


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]], verbosity=2)
