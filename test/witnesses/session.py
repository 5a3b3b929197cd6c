"""One session of the database, as an application would have it, a statement every 200 ms, until standard input ends.

Prints what lines.ts describes. Environment: as the application's.
"""

import json
import os
import sys
import threading
import time

import pymysql

NAME = sys.argv[1]
EVERY = 0.2
SECONDS = 5
TELL = 0.5

ended = threading.Event()


def tell(what, **more):
    print(json.dumps({"witness": NAME, "at": round(time.time() * 1000), "what": what, **more}), flush=True)


def listen():
    sys.stdin.read()
    ended.set()


def hold():
    """Until it ends: how. Beats are told together, now and then."""
    connection = pymysql.connect(
        host=os.environ["DATABASE_HOST"],
        port=int(os.environ["DATABASE_PORT"]),
        user=os.environ["DATABASE_USER"],
        password=os.environ["DATABASE_PASSWORD"],
        database=os.environ["DATABASE_NAME"],
        autocommit=True,
        connect_timeout=SECONDS,
        read_timeout=SECONDS,
        write_timeout=SECONDS,
    )
    tell("opened")
    count, silence, last, told = 0, 0.0, time.monotonic(), time.monotonic()
    try:
        with connection.cursor() as cursor:
            while not ended.wait(EVERY):
                cursor.execute("SELECT CONNECTION_ID()")
                cursor.fetchone()
                now = time.monotonic()
                count, silence, last = count + 1, max(silence, now - last), now
                if now - told >= TELL:
                    tell("beats", count=count, silence=round(silence * 1000))
                    count, silence, told = 0, 0.0, now
    except pymysql.err.MySQLError as error:
        tell("broke", error=str(error))
        return
    finally:
        if count:
            tell("beats", count=count, silence=round(silence * 1000))
    connection.close()


threading.Thread(target=listen, daemon=True).start()
while not ended.is_set():
    try:
        hold()
    except pymysql.err.MySQLError as error:
        tell("refused", error=str(error))
    ended.wait(0.1)
