"""What users of plain redis-py do, through the main ports of several nodes: PROTOCOL PORT PORT …

Every key works through every node, wherever it lives.
"""

import sys
import threading
import unittest

import redis

PROTOCOL, PORTS = int(sys.argv[1]), [int(port) for port in sys.argv[2:]]
WAIT_S = 20


def client(port, **options):
    return redis.Redis(port=port, protocol=PROTOCOL, decode_responses=True, socket_timeout=WAIT_S, **options)


class AnyNode(unittest.TestCase):
    def setUp(self):
        self.nodes = [client(port) for port in PORTS]
        for node in self.nodes:
            self.addCleanup(node.close)

    def key(self, name="key"):
        return f"{self._testMethodName}:{name}"

    def pairs(self):
        """Each node with the one after it: what one writes the other reads."""
        return list(zip(self.nodes, self.nodes[1:] + self.nodes[:1]))

    def test_every_type_is_written_through_one_node_and_read_through_another(self):
        for number, (writer, reader) in enumerate(self.pairs()):
            for slot in range(20):
                key = self.key(f"{number}:{slot}:")
                self.assertTrue(writer.set(key + "s", "v", ex=100))
                self.assertEqual(reader.get(key + "s"), "v")
                self.assertGreater(reader.ttl(key + "s"), 90)
                self.assertEqual(reader.incrby(key + "n", 41), 41)
                self.assertEqual(writer.incr(key + "n"), 42)
                self.assertEqual(writer.hset(key + "h", mapping={"a": 1, "b": 2}), 2)
                self.assertEqual(reader.hgetall(key + "h"), {"a": "1", "b": "2"})
                self.assertEqual(writer.rpush(key + "l", "x", "y"), 2)
                self.assertEqual(reader.lrange(key + "l", 0, -1), ["x", "y"])
                self.assertEqual(writer.zadd(key + "z", {"m": 1.5, "n": 2}), 2)
                pairs = [tuple(pair) for pair in reader.zrange(key + "z", 0, -1, withscores=True)]
                self.assertEqual(pairs, [("m", 1.5), ("n", 2.0)])
                self.assertEqual(writer.sadd(key + "set", "m"), 1)
                self.assertEqual(reader.smembers(key + "set"), {"m"})
                self.assertEqual(reader.delete(key + "s", key + "h", key + "none"), 2)

    def test_a_pipeline_over_all_nodes_answers_in_order(self):
        for node in self.nodes:
            pipe = node.pipeline(transaction=False)
            for number in range(500):
                pipe.set(self.key(str(number)), number)
                pipe.get(self.key(str(number)))
            pipe.lpush(self.key("0"), "x")
            replies = pipe.execute(raise_on_error=False)
            self.assertEqual(replies[:1000:2], [True] * 500)
            self.assertEqual(replies[1:1000:2], [str(number) for number in range(500)])
            self.assertIn("WRONGTYPE", str(replies[1000]))

    def test_commands_over_many_slots_are_put_together(self):
        keys = [self.key(str(number)) for number in range(200)]
        for writer, reader in self.pairs():
            self.assertTrue(writer.mset({key: key for key in keys}))
            self.assertEqual(reader.mget(keys[::-1] + ["none"]), keys[::-1] + [None])
            self.assertEqual(reader.exists(*keys, "none"), 200)
            self.assertEqual(writer.touch(*keys), 200)
            self.assertEqual(reader.unlink(*keys), 200)
            with self.assertRaises(redis.exceptions.ClusterCrossSlotError):
                writer.sinter(keys[:2])

    def test_transactions_run_through_nodes_that_do_not_own_the_slot(self):
        for number in range(12):
            tag = "{" + self.key(str(number)) + "}"
            for node in self.nodes:
                with node.pipeline() as pipe:
                    pipe.incr(tag + "a").incrby(tag + "b", 2).mget(tag + "a", tag + "b")
                    count = self.nodes.index(node) + 1
                    self.assertEqual(pipe.execute(), [count, 2 * count, [str(count), str(2 * count)]])

    def test_a_watched_key_that_changes_through_another_node_aborts(self):
        for number in range(12):
            for mine, other in self.pairs():
                key = self.key(str(number))
                with mine.pipeline() as pipe:
                    pipe.watch(key)
                    pipe.multi()
                    pipe.set(key, "mine")
                    other.set(key, "theirs")
                    with self.assertRaises(redis.WatchError):
                        pipe.execute()
                    self.assertEqual(mine.get(key), "theirs")
                with mine.pipeline() as pipe:
                    pipe.watch(key)
                    pipe.multi()
                    pipe.set(key, "mine")
                    self.assertEqual(pipe.execute(), [True])

    def test_a_blocking_pop_gets_what_is_pushed_through_another_node(self):
        for number in range(6):
            for mine, other in self.pairs():
                key, popped = self.key(str(number)), []
                thread = threading.Thread(target=lambda: popped.append(mine.blpop(key, timeout=WAIT_S)))
                thread.start()
                other.rpush(key, "job")
                thread.join()
                self.assertEqual(list(popped[0]), [key, "job"])
                self.assertIsNone(mine.blpop(key, timeout=0.01))

    def test_messages_reach_subscribers_of_every_node(self):
        listeners = []
        for node in self.nodes:
            listener = node.pubsub()
            self.addCleanup(listener.close)
            listener.subscribe(self.key("news"))
            listener.psubscribe(self.key("p*"))
            listener.ssubscribe(self.key("shard"))
            for _ in range(3):
                self.assertIn("subscribe", listener.get_message(timeout=WAIT_S)["type"])
            listeners.append(listener)
        for node in self.nodes:
            node.publish(self.key("news"), "one")
            node.publish(self.key("pattern"), "two")
            node.execute_command("SPUBLISH", self.key("shard"), "three")
            for listener in listeners:
                heard = [listener.get_message(timeout=WAIT_S) for _ in range(3)]
                told = sorted((message["type"], message["data"]) for message in heard)
                self.assertEqual(told, [("message", "one"), ("pmessage", "two"), ("smessage", "three")])

    def test_keyspace_events_of_all_keys_are_heard_at_every_node(self):
        self.nodes[0].config_set("notify-keyspace-events", "KEA")
        for node in self.nodes:
            node.config_set("notify-keyspace-events", "KEA")
        listeners = []
        for node in self.nodes:
            listener = node.pubsub()
            self.addCleanup(listener.close)
            listener.psubscribe(f"__keyspace@0__:{self.key('')}*")
            self.assertEqual(listener.get_message(timeout=WAIT_S)["type"], "psubscribe")
            listeners.append(listener)
        keys = {self.key(str(number)) for number in range(30)}
        for key in keys:
            self.nodes[0].set(key, 1)
        for listener in listeners:
            heard = {listener.get_message(timeout=WAIT_S)["channel"].split(":", 1)[1] for _ in keys}
            self.assertEqual(heard, keys)
        for node in self.nodes:
            node.config_set("notify-keyspace-events", "")


class WholeCluster(unittest.TestCase):
    """The keyspace as one, through any node."""

    def setUp(self):
        self.nodes = [client(port) for port in PORTS]
        for node in self.nodes:
            self.addCleanup(node.close)
        self.nodes[0].flushall()
        self.keys = {f"key:{number}" for number in range(1000)}
        self.nodes[0].mset(dict.fromkeys(self.keys, "v"))

    def test_walks_see_every_key_exactly_once_where_nothing_moves(self):
        for node in self.nodes:
            self.assertEqual(node.dbsize(), 1000)
            self.assertEqual(sorted(node.keys()), sorted(self.keys))
            self.assertEqual(len(node.keys("key:99*")), 11)
            self.assertEqual(sorted(node.scan_iter(count=50)), sorted(self.keys))
            self.assertEqual(len(list(node.scan_iter(match="key:1*", count=100))), 111)
            self.assertEqual(list(node.scan_iter(_type="hash")), [])
            self.assertIn(node.randomkey(), self.keys)

    def test_a_walk_that_begins_at_one_node_goes_on_at_another(self):
        cursor, found, step = 0, [], 0
        while True:
            cursor, page = self.nodes[step % len(self.nodes)].scan(cursor, count=40)
            found += page
            step += 1
            if cursor == 0:
                break
        self.assertEqual(sorted(found), sorted(self.keys))
        self.assertGreater(step, 5)

    def test_flushing_through_any_node_empties_all(self):
        for node in self.nodes:
            node.mset(dict.fromkeys(self.keys, "v"))
            self.assertTrue(node.flushall())
            for other in self.nodes:
                self.assertEqual(other.dbsize(), 0)
                self.assertIsNone(other.randomkey())

    def test_on_the_redirect_ports_each_node_has_its_own_keys(self):
        own = [client(port + 1000) for port in PORTS]
        sizes = [node.dbsize() for node in own]
        self.assertEqual(sum(sizes), 1000)
        self.assertTrue(all(sizes), sizes)
        walked = [key for node in own for key in node.scan_iter(count=100)]
        self.assertEqual(sorted(walked), sorted(self.keys))
        self.assertEqual(sorted(key for node in own for key in node.keys()), sorted(self.keys))
        self.assertTrue(own[0].flushall())
        self.assertEqual([node.dbsize() for node in own], [0] + sizes[1:])
        self.assertIsNone(own[0].randomkey())
        for node in own:
            node.close()


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]], verbosity=2)
