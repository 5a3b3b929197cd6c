"""The sample application: shows who answered, for whom, and that the database keeps what it is given.

    GET  /              this server, the client as the load balancer saw it, and a row written and read back
    POST /rows/TOKEN    writes a row (PUT as well); once more is harmless
    GET  /rows/TOKEN    reads it, through whichever server; 404 when there is none
    GET  /healthz       200 while this process works

/healthz leaves the database out on purpose: a load balancer that asks it would take every application
server away at once when the database stutters, and nobody could even say so to the client.

Environment: SERVER_NAME, DATACENTER, DATABASE_HOST, DATABASE_PORT, DATABASE_NAME, DATABASE_USER,
DATABASE_PASSWORD. Served by gunicorn as wsgi:application; Flask 2.2 and PyMySQL 1.0 (Debian 12).
"""

import os
import random
import re
import threading
import time
import uuid

import pymysql
from flask import Flask, jsonify, request

application = Flask(__name__)

SERVER = {"server": os.environ["SERVER_NAME"], "datacenter": os.environ["DATACENTER"]}
TOKEN = re.compile(r"[A-Za-z0-9._-]{1,64}")

# A failover of the database takes up to 3 s: one attempt gives up before haproxy's client does.
CONNECT_SECONDS = 2
ANSWER_SECONDS = 4
# An old connection would stay with the database server that was second choice for a while.
CONNECTION_SECONDS = 30

CREATE_TABLE = """CREATE TABLE IF NOT EXISTS ha_cluster_rows (
    token VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
    server VARCHAR(255) NOT NULL,
    datacenter VARCHAR(255) NOT NULL,
    written TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    KEY (written)
) CHARACTER SET utf8mb4"""

NO_SUCH_TABLE = 1146
# What may pass on a fresh connection: the old one is gone, the node has left its cluster (1047), another node
# wrote the same row first (1213, deadlock).
PASSING = (pymysql.err.OperationalError, pymysql.err.InterfaceError, pymysql.err.InternalError)

_thread = threading.local()


def connect():
    """This thread's connection, made anew when it has grown old."""
    if time.monotonic() - getattr(_thread, "since", float("-inf")) > CONNECTION_SECONDS:
        disconnect()
    if getattr(_thread, "connection", None) is None:
        _thread.connection = pymysql.connect(
            host=os.environ["DATABASE_HOST"],
            port=int(os.environ["DATABASE_PORT"]),
            user=os.environ["DATABASE_USER"],
            password=os.environ["DATABASE_PASSWORD"],
            database=os.environ["DATABASE_NAME"],
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
            read_timeout=ANSWER_SECONDS,
            write_timeout=ANSWER_SECONDS,
            # A read sees every write that was confirmed before, through whichever node (Galera: causality check).
            init_command="SET SESSION wsrep_sync_wait = 1",
        )
        _thread.since = time.monotonic()
    return _thread.connection


def disconnect():
    connection, _thread.connection = getattr(_thread, "connection", None), None
    if connection is not None:
        try:
            connection.close()
        except pymysql.err.Error:
            pass


def with_database(work):
    """What `work(cursor)` returns. Runs it once more on a fresh connection, so it must bear a repetition."""
    try:
        return attempt(work)
    except PASSING:
        disconnect()
    try:
        return attempt(work)
    except PASSING:
        disconnect()
        raise


def attempt(work):
    with connect().cursor() as cursor:
        try:
            return work(cursor)
        except pymysql.err.ProgrammingError as error:
            if error.args[0] != NO_SUCH_TABLE:
                raise
            cursor.execute(CREATE_TABLE)
            return work(cursor)


def write(cursor, token):
    cursor.execute(
        "INSERT INTO ha_cluster_rows (token, server, datacenter) VALUES (%s, %s, %s)"
        " ON DUPLICATE KEY UPDATE server = VALUES(server), datacenter = VALUES(datacenter)",
        (token, SERVER["server"], SERVER["datacenter"]),
    )


def read(cursor, token):
    cursor.execute(
        "SELECT token, server, datacenter, written, @@hostname FROM ha_cluster_rows WHERE token = %s", (token,)
    )
    row = cursor.fetchone()
    if row is None:
        return None
    token, server, datacenter, written, database = row
    return {
        "token": token,
        "writtenBy": {"server": server, "datacenter": datacenter},
        "writtenAt": written.isoformat(),
        "database": database,
    }


def forget_old_visits(cursor):
    """Keeps the table small: rows of GET / older than a day go, now and then."""
    if random.random() < 0.01:
        cursor.execute(
            "DELETE FROM ha_cluster_rows WHERE token LIKE 'visit-%' AND written < NOW() - INTERVAL 1 DAY LIMIT 1000"
        )


@application.get("/")
def visit():
    token = f"visit-{uuid.uuid4()}"

    def work(cursor):
        write(cursor, token)
        forget_old_visits(cursor)
        return read(cursor, token)

    row = with_database(work)
    return jsonify(
        **SERVER,
        client={
            "realIp": request.headers.get("X-Real-IP"),
            "forwardedFor": request.headers.get("X-Forwarded-For"),
            "forwardedProto": request.headers.get("X-Forwarded-Proto"),
        },
        database={"server": row["database"], "written": token, "read": row["token"]},
    )


@application.get("/rows/<token>")
def get_row(token):
    if not TOKEN.fullmatch(token):
        return bad_token()
    row = with_database(lambda cursor: read(cursor, token))
    if row is None:
        return jsonify(error="no such row", token=token), 404
    return jsonify(**SERVER, row=row)


@application.route("/rows/<token>", methods=["POST", "PUT"])
def put_row(token):
    if not TOKEN.fullmatch(token):
        return bad_token()

    def work(cursor):
        write(cursor, token)
        return read(cursor, token)

    return jsonify(**SERVER, row=with_database(work)), 201


def bad_token():
    return jsonify(error="a token has 1 to 64 letters, digits, dots, dashes or underscores"), 400


@application.get("/healthz")
def healthz():
    return jsonify(SERVER)


@application.errorhandler(pymysql.err.Error)
def database_away(error):
    """The client learns that the database is away, the journal learns why."""
    application.logger.warning("database: %s", error)
    return jsonify(**SERVER, error="the database does not answer; try again in a few seconds"), 503


@application.after_request
def never_cached(response):
    response.headers["Cache-Control"] = "no-store"
    return response
