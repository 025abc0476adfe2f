"""What redis-py's users do, against a running node: redis_py.py PORT PROTOCOL.

redis-py runs unchanged. Each test has keys of its own, so that they need no order and no flush.
"""

import sys
import threading
import unittest

import redis

PORT, PROTOCOL = int(sys.argv[1]), int(sys.argv[2])
WAIT_S = 20


def client(**options):
    return redis.Redis(port=PORT, protocol=PROTOCOL, decode_responses=True, socket_timeout=WAIT_S, **options)


class RedisPy(unittest.TestCase):
    def setUp(self):
        self.r = client()
        self.addCleanup(self.r.close)

    def key(self, name="key"):
        return f"{self._testMethodName}:{PROTOCOL}:{name}"

    def test_strings_come_back_as_they_were_set(self):
        key = self.key()
        self.assertTrue(self.r.set(key, "v", ex=100))
        self.assertIsNone(self.r.set(key, "other", nx=True))
        self.assertEqual(self.r.get(key), "v")
        self.assertEqual(self.r.set(key, "w", get=True, keepttl=True), "v")
        self.assertGreater(self.r.ttl(key), 0)
        self.assertEqual(self.r.getdel(key), "w")
        self.assertIsNone(self.r.get(key))
        self.assertEqual(self.r.incrby(self.key("n"), 41) + 1, 42)
        self.assertAlmostEqual(self.r.incrbyfloat(self.key("f"), 1.5), 1.5)
        self.r.mset({self.key("a"): 1, self.key("b"): 2})
        self.assertEqual(self.r.mget(self.key("a"), self.key("none"), self.key("b")), ["1", None, "2"])

    def test_bytes_are_kept_as_they_are(self):
        raw = redis.Redis(port=PORT, protocol=PROTOCOL)
        self.addCleanup(raw.close)
        blob = bytes(range(256)) * 1000
        raw.set(self.key(), blob)
        self.assertEqual(raw.get(self.key()), blob)

    def test_a_pipeline_answers_in_order_and_tells_its_errors(self):
        pipe = self.r.pipeline(transaction=False)
        for number in range(1000):
            pipe.set(self.key(str(number)), number)
        pipe.get(self.key("999")).lpush(self.key("0"), "x")
        replies = pipe.execute(raise_on_error=False)
        self.assertEqual(replies[:1000], [True] * 1000)
        self.assertEqual(replies[1000], "999")
        self.assertIsInstance(replies[1001], redis.ResponseError)
        self.assertIn("WRONGTYPE", str(replies[1001]))

    def test_a_watched_key_that_changes_aborts_the_transaction(self):
        key = self.key()
        with self.r.pipeline() as pipe:
            pipe.watch(key)
            pipe.multi()
            pipe.set(key, "mine")
            self.r.set(key, "theirs")
            with self.assertRaises(redis.WatchError):
                pipe.execute()
        self.assertEqual(self.r.get(key), "theirs")

    def test_the_transaction_helper_retries_until_nobody_interferes(self):
        key = self.key()
        self.r.set(key, 0)

        def add(pipe):
            value = int(pipe.get(key))
            pipe.multi()
            pipe.set(key, value + 1)

        def add_often():
            with client() as own:
                for _ in range(20):
                    own.transaction(add, key)

        threads = [threading.Thread(target=add_often) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.r.get(key), "80")

    def test_pubsub_delivers_to_channels_and_patterns(self):
        subscriber = self.r.pubsub()
        self.addCleanup(subscriber.close)
        subscriber.subscribe(self.key("news"))
        subscriber.psubscribe(self.key("p*"))
        kinds = [subscriber.get_message(timeout=WAIT_S)["type"] for _ in range(2)]
        self.assertEqual(kinds, ["subscribe", "psubscribe"])
        self.assertEqual(self.r.publish(self.key("news"), "one"), 1)
        self.assertEqual(self.r.publish(self.key("pattern"), "two"), 1)
        first, second = (subscriber.get_message(timeout=WAIT_S) for _ in range(2))
        self.assertEqual((first["type"], first["data"]), ("message", "one"))
        self.assertEqual((second["type"], second["pattern"], second["data"]), ("pmessage", self.key("p*"), "two"))
        subscriber.unsubscribe()
        subscriber.punsubscribe()
        kinds = [subscriber.get_message(timeout=WAIT_S)["type"] for _ in range(2)]
        self.assertEqual(kinds, ["unsubscribe", "punsubscribe"])

    def test_sharded_pubsub_delivers(self):
        subscriber = self.r.pubsub()
        self.addCleanup(subscriber.close)
        subscriber.ssubscribe(self.key("shard"))
        self.assertEqual(subscriber.get_message(timeout=WAIT_S)["type"], "ssubscribe")
        self.assertEqual(self.r.execute_command("SPUBLISH", self.key("shard"), "hello"), 1)
        self.assertEqual(subscriber.get_sharded_message(timeout=WAIT_S)["data"], "hello")

    def test_a_blocking_pop_gets_what_another_client_pushes(self):
        popped = []

        def pop():
            with client() as own:
                popped.append(own.blpop([self.key("none"), self.key()], timeout=WAIT_S))

        thread = threading.Thread(target=pop)
        thread.start()
        self.r.rpush(self.key(), "job")
        thread.join()
        self.assertEqual(list(popped[0]), [self.key(), "job"])
        self.assertIsNone(self.r.blpop([self.key()], timeout=0.01))
        self.assertIsNone(self.r.blmove(self.key(), self.key("to"), 0.01))

    def test_scan_iter_visits_every_key_that_matches(self):
        expected = {self.key(str(number)) for number in range(500)}
        self.r.mset(dict.fromkeys(expected, ""))
        self.assertEqual(set(self.r.scan_iter(match=self.key("*"), count=50, _type="string")), expected)

    def test_lists_do_what_lists_do(self):
        key = self.key()
        self.assertEqual(self.r.rpush(key, *range(10)), 10)
        self.assertEqual(self.r.lrange(key, 1, 3), ["1", "2", "3"])
        self.assertEqual(self.r.lpop(key, 2), ["0", "1"])
        self.assertEqual(self.r.lpos(key, "5"), 3)
        self.assertEqual(self.r.linsert(key, "BEFORE", "5", "4.5"), 9)
        self.assertTrue(self.r.ltrim(key, 0, 1))
        self.assertEqual(self.r.lmpop(2, self.key("none"), key, direction="LEFT"), [key, ["2"]])

    def test_sets_do_what_sets_do(self):
        a, b = self.key("a"), self.key("b")
        self.assertEqual(self.r.sadd(a, 1, 2, 3), 3)
        self.assertEqual(self.r.sadd(b, 2, 3, 4), 3)
        self.assertEqual(self.r.smembers(a), {"1", "2", "3"})
        self.assertEqual(set(self.r.sinter(a, b)), {"2", "3"})
        self.assertEqual(set(self.r.sscan_iter(a)), {"1", "2", "3"})
        self.assertEqual(self.r.smismember(a, ["1", "9"]), [1, 0])
        self.assertIn(self.r.spop(a), {"1", "2", "3"})

    def test_hashes_do_what_hashes_do(self):
        key = self.key()
        self.assertEqual(self.r.hset(key, mapping={"a": 1, "b": 2}), 2)
        self.assertEqual(self.r.hgetall(key), {"a": "1", "b": "2"})
        self.assertEqual(self.r.hmget(key, "a", "none"), ["1", None])
        self.assertEqual(self.r.hincrby(key, "a", 5), 6)
        self.assertEqual(dict(self.r.hscan_iter(key)), {"a": "6", "b": "2"})
        self.assertEqual(self.r.hexpire(key, 100, "a", "none"), [1, -2])
        self.assertGreater(self.r.httl(key, "a")[0], 0)

    def test_sorted_sets_do_what_sorted_sets_do(self):
        key = self.key()
        self.assertEqual(self.r.zadd(key, {"a": 1, "b": 2, "c": 3.5}), 3)
        pairs = [tuple(pair) for pair in self.r.zrange(key, 0, -1, withscores=True)]
        self.assertEqual(pairs, [("a", 1.0), ("b", 2.0), ("c", 3.5)])
        self.assertEqual(self.r.zscore(key, "c"), 3.5)
        self.assertEqual(self.r.zrange(key, "(1", "+inf", byscore=True, offset=0, num=1), ["b"])
        self.assertEqual(self.r.zrank(key, "b"), 1)
        self.assertEqual(dict(self.r.zscan_iter(key)), {"a": 1.0, "b": 2.0, "c": 3.5})
        self.assertEqual(self.r.zincrby(key, 2, "a"), 3.0)
        self.assertEqual(self.r.zmscore(key, ["b", "none"]), [2.0, None])
        self.assertEqual(tuple(self.r.bzpopmin(key, timeout=WAIT_S)), (key, "b", 2.0))

    def test_places_are_found_again(self):
        key = self.key()
        self.r.geoadd(key, (13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania"))
        self.assertAlmostEqual(self.r.geodist(key, "Palermo", "Catania", unit="km"), 166.2742, places=4)
        near = self.r.geosearch(key, longitude=15, latitude=37, radius=100, unit="km", withdist=True)
        self.assertEqual(near[0][0], "Catania")
        self.assertAlmostEqual(near[0][1], 56.4413, places=4)
        self.assertAlmostEqual(self.r.geopos(key, "Palermo")[0][0], 13.361389, places=5)

    def test_bitmaps_and_hyperloglogs_count(self):
        self.r.setbit(self.key("bits"), 7, 1)
        self.assertEqual(self.r.bitcount(self.key("bits")), 1)
        field = self.r.bitfield(self.key("field"), default_overflow="SAT")
        self.assertEqual(field.set("u8", "#0", 250).incrby("u8", "#0", 10).execute(), [0, 255])
        self.r.pfadd(self.key("log"), *range(100))
        self.assertAlmostEqual(self.r.pfcount(self.key("log")), 100, delta=3)

    def test_a_lock_has_one_holder(self):
        # Its release is a script, which the node does not run yet.
        mine, other = self.r.lock(self.key(), timeout=100), client().lock(self.key(), timeout=100)
        self.assertTrue(mine.acquire(blocking=False))
        self.assertFalse(other.acquire(blocking=False))
        self.assertTrue(mine.owned())
        self.assertTrue(other.locked())
        self.assertFalse(other.owned())

    def test_a_connection_pool_serves_many_threads(self):
        pool = redis.BlockingConnectionPool(
            port=PORT, protocol=PROTOCOL, decode_responses=True, max_connections=4, timeout=WAIT_S, client_name="pooled"
        )
        self.addCleanup(pool.disconnect)
        shared = redis.Redis(connection_pool=pool)

        def add():
            for _ in range(50):
                shared.incr(self.key())

        threads = [threading.Thread(target=add) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.r.get(self.key()), "400")
        self.assertEqual(shared.client_getname(), "pooled")
        self.assertLessEqual(sum(c["name"] == "pooled" for c in self.r.client_list()), 4)

    def test_introspection_is_parsed(self):
        self.assertGreater(self.r.info("server")["tcp_port"], 0)
        self.assertIn("used_memory", self.r.info("memory"))
        self.assertIn("maxmemory-policy", self.r.config_get("maxmemory*"))
        self.assertTrue(self.r.config_set("slowlog-log-slower-than", 0))
        self.r.ping()
        self.assertGreater(len(self.r.slowlog_get(10)), 0)
        self.assertTrue(self.r.config_set("slowlog-log-slower-than", 10000))
        self.assertIn("get", self.r.command())
        self.assertEqual(self.r.command_getkeys("MSET", "a", "1", "b", "2"), ["a", "b"])
        self.assertGreater(self.r.memory_usage(self.key("none")) or 1, 0)
        self.assertEqual(self.r.client_info()["resp"], str(PROTOCOL))
        self.assertEqual(len(self.r.time()), 2)

    def test_monitor_sees_what_others_do(self):
        with self.r.monitor() as monitor:
            with client() as other:
                other.set(self.key(), "seen")
            commands = []
            while not any(self.key() in command for command in commands):
                commands.append(monitor.next_command()["command"])
        self.assertEqual(commands[-1], f"SET {self.key()} seen")

    @unittest.skipIf(PROTOCOL == 2, "invalidations are pushed, which RESP2 cannot")
    def test_a_cached_value_is_forgotten_when_it_changes(self):
        from redis.cache import CacheConfig

        cached = client(cache_config=CacheConfig())
        self.addCleanup(cached.close)
        key = self.key()
        self.r.set(key, "old")
        self.assertEqual(cached.get(key), "old")
        self.assertEqual(cached.get(key), "old")
        self.assertEqual(cached.get_cache().size, 1)
        self.r.set(key, "new")
        # The invalidation was sent before the reply to SET, on another connection: it may still be on its way.
        for _ in range(10_000):
            if cached.get(key) == "new":
                break
        self.assertEqual(cached.get(key), "new")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]], verbosity=2)
