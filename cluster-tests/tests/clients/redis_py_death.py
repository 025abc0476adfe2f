"""Users of plain redis-py with default settings on the main ports of the survivors, while another node dies: PORT PORT …

Prints "running" when all have work behind them; reads a line when the node has died and the others have settled; then
works on for a while and reports.
"""

import sys
import threading
import time

import redis

PORTS = [int(port) for port in sys.argv[1:]]
THREADS_PER_PORT = 4
ROUNDS = 20

errors, slowest, rounds, lock = [], (0.0, 0), {}, threading.Lock()
may_stop = threading.Event()


def one_round(r, me, number):
    key = f"{me}:{number % 50}"
    tag = "{" + key + "}"
    yield lambda: r.set(key, number)
    yield lambda: r.get(key)
    yield lambda: r.incr(tag + "n")
    yield lambda: r.lpush(tag + "l", number)
    yield lambda: r.hset(tag + "h", "f", number)
    yield lambda: r.zadd(tag + "z", {"m": number})
    yield lambda: r.mget([f"{me}:{other}" for other in range(20)])
    yield lambda: r.mset({f"{me}:m:{other}": number for other in range(20)})
    yield lambda: r.pipeline().incr(tag + "a").incr(tag + "b").execute()
    yield lambda: r.pipeline(transaction=False).incr(tag + "a").get(f"{me}:0").execute()
    yield lambda: r.delete(key, tag + "l", tag + "z")
    yield lambda: list(r.scan_iter(match=f"{me}:*", count=1000))
    yield lambda: r.dbsize()


def work(port, me):
    global slowest
    r, number = redis.Redis(port=port), 0
    left = ROUNDS
    while left:
        for place, call in enumerate(one_round(r, me, number)):
            began = time.monotonic()
            try:
                call()
            except Exception as error:  # Whatever it is, a user would have seen it.
                with lock:
                    errors.append(repr(error))
            with lock:
                slowest = max(slowest, (time.monotonic() - began, place))
        number += 1
        rounds[me] = number
        left -= may_stop.is_set()


threads = [
    threading.Thread(target=work, args=(port, f"{port}:{number}")) for port in PORTS for number in range(THREADS_PER_PORT)
]
for thread in threads:
    thread.start()
while len(rounds) < len(threads) or min(rounds.values()) < ROUNDS:
    threads[0].join(timeout=0.01)
print("running")
sys.stdin.readline()
may_stop.set()
for thread in threads:
    thread.join()
print(f"{sum(rounds.values())} rounds, {len(errors)} errors, slowest {slowest[0]:.3f} s (call {slowest[1]}); first errors: {errors[:3]}")
sys.exit(bool(errors))
