"""What users of redis-py's cluster client do, from any node's port: PROTOCOL PORT PORT …"""

import sys
import threading
import unittest

import redis
from redis.cluster import RedisCluster

PROTOCOL, PORTS = int(sys.argv[1]), [int(port) for port in sys.argv[2:]]
WAIT_S = 20


def cluster(port, **options):
    return RedisCluster(host="127.0.0.1", port=port, protocol=PROTOCOL, decode_responses=True, **options)


class Cluster(unittest.TestCase):
    def setUp(self):
        self.c = cluster(PORTS[0] + 1000)
        self.addCleanup(self.c.close)
        self.c.flushall()

    def test_every_port_leads_to_the_redirect_ports_of_all(self):
        for seed in PORTS + [port + 1000 for port in PORTS]:
            with cluster(seed) as c:
                self.assertEqual(sorted(node.port for node in c.get_primaries()), [port + 1000 for port in sorted(PORTS)])
                self.assertEqual(len(c.nodes_manager.slots_cache), 16384)
                self.assertTrue(c.set("seed", seed))
                self.assertEqual(c.get("seed"), str(seed))

    def test_a_thousand_keys(self):
        for number in range(1000):
            self.assertTrue(self.c.set(f"key:{number}", number))
        self.assertEqual([self.c.get(f"key:{number}") for number in range(1000)], [str(n) for n in range(1000)])
        everywhere = {"target_nodes": RedisCluster.PRIMARIES}
        self.assertEqual(self.c.dbsize(**everywhere), 1000)
        self.assertEqual(len(self.c.keys("key:*", **everywhere)), 1000)
        self.assertEqual(len(set(self.c.scan_iter("key:*", count=100))), 1000)
        plain = redis.Redis(port=PORTS[1], decode_responses=True)
        self.assertEqual(plain.dbsize(), 1000)
        plain.close()

    def test_keys_of_several_slots(self):
        self.assertTrue(self.c.mset_nonatomic({"a": "1", "b": "2", "c": "3"}))
        self.assertEqual(self.c.mget_nonatomic("a", "b", "c"), ["1", "2", "3"])
        self.assertEqual(self.c.delete("a", "b", "c"), 3)
        self.assertEqual(self.c.mset({"{t}a": 1, "{t}b": 2}), True)
        self.assertEqual(self.c.mget("{t}a", "{t}b"), ["1", "2"])

    def test_pipelines_over_all_nodes(self):
        with self.c.pipeline() as pipe:
            for number in range(300):
                pipe.incr(f"n:{number}")
            self.assertEqual(pipe.execute(), [1] * 300)

    def test_transactions_with_hash_tags(self):
        for number in range(20):
            tag = "{" + str(number) + "}"
            with self.c.pipeline(transaction=True) as pipe:
                pipe.set(tag + "a", 1).incr(tag + "a")
                self.assertEqual(pipe.execute()[1], 2)

    def test_a_blocking_pop(self):
        popped = []
        thread = threading.Thread(target=lambda: popped.append(self.c.blpop("list", timeout=WAIT_S)))
        thread.start()
        with cluster(PORTS[1] + 1000) as other:
            other.rpush("list", "job")
        thread.join()
        self.assertEqual(list(popped[0]), ["list", "job"])

    def test_a_wrong_node_says_where_to_go(self):
        node = redis.Redis(port=PORTS[0] + 1000)
        moved = 0
        for number in range(50):
            try:
                node.set(f"key:{number}", number)
            except redis.exceptions.MovedError as error:
                self.assertIn(error.port, [port + 1000 for port in PORTS[1:]])
                moved += 1
        self.assertGreater(moved, 0)
        with self.assertRaises(redis.exceptions.ClusterCrossSlotError):
            node.mget("a", "b", "c")
        node.close()

    def test_sharded_messages(self):
        listener = self.c.pubsub()
        channels = [f"channel:{number}" for number in range(6)]
        for channel in channels:
            listener.ssubscribe(channel)
            self.assertEqual(self.next_of(listener, "ssubscribe")["type"], "ssubscribe")
        for channel in channels:
            self.c.spublish(channel, "hello")
            message = self.next_of(listener, "smessage")
            self.assertEqual((message["channel"], message["data"]), (channel, "hello"))
        listener.close()

    def next_of(self, listener, kind):
        for _ in range(1000):
            message = listener.get_sharded_message(timeout=1)
            if message and message["type"] == kind:
                return message
        self.fail(f"no {kind}")

    def test_reads_from_copies(self):
        with cluster(PORTS[0], read_from_replicas=True) as reader:
            for number in range(50):
                self.c.set(f"key:{number}", number)
                # A copy follows its owner within moments.
                for _ in range(10_000):
                    value = reader.get(f"key:{number}")
                    if value is not None:
                        break
                self.assertEqual(value, str(number))

    def test_facts_of_each_node(self):
        for node in self.c.get_primaries():
            of_node = {"target_nodes": node}
            self.assertEqual(self.c.cluster_info(**of_node)["cluster_state"], "ok")
            self.assertEqual(self.c.cluster_info(**of_node)["cluster_size"], "3")
            nodes = self.c.execute_command("CLUSTER NODES", **of_node)
            self.assertEqual(len(nodes), 3)
            self.assertEqual(sum("myself" in facts["flags"] for facts in nodes.values()), 1)
            self.assertEqual(len(self.c.execute_command("CLUSTER SHARDS", **of_node)), 3)
            self.assertEqual(len(self.c.cluster_myid(node)), 40)
            self.assertEqual(self.c.info("cluster", **of_node)["cluster_enabled"], 1)
        self.c.set("foo", "1")
        self.assertEqual(self.c.cluster_countkeysinslot(12182), 1)
        self.assertEqual(self.c.cluster_get_keys_in_slot(12182, 10), ["foo"])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]], verbosity=2)
