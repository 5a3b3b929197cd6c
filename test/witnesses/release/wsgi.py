"""Release of the tests: the sample, which they put beside it as sample.py, and what their witnesses hold open.

    GET  /content/TOKEN  which release answers, for whom, and a row that was written before: one line of text
    GET  /download       a numbered line of 1 KiB ten times a second, until the client goes
    GET  /socket         a WebSocket (RFC 6455) that sends every text frame back

The release's name is that of its folder.
"""

import base64
import hashlib
import os
import time

from sample import application as sample, pymysql, read, with_database

RELEASE = os.path.basename(os.path.dirname(os.path.realpath(__file__)))
PLAIN = [("Content-Type", "text/plain"), ("Cache-Control", "no-store")]


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path.startswith("/content/"):
        return content(environ, start_response, path[len("/content/") :])
    if path == "/download":
        start_response("200 OK", PLAIN)
        return download()
    if path == "/socket":
        return echo(environ)
    return sample(environ, start_response)


def content(environ, start_response, token):
    try:
        row = with_database(lambda cursor: read(cursor, token))
    except pymysql.err.Error as error:
        start_response("503 Service Unavailable", PLAIN)
        return [f"database: {error}\n".encode()]
    client = environ.get("HTTP_X_REAL_IP")
    start_response("200 OK", PLAIN)
    text = f"release={RELEASE} row={row and row['token']} client={client} server={os.environ['SERVER_NAME']}\n"
    return [text.encode()]


def download():
    number = 0
    while True:
        number += 1
        yield f"{number:1023}\n".encode()
        time.sleep(0.1)


def echo(environ):
    """Speaks on the connection itself, which gunicorn hands over, and ends it."""
    connection = environ["gunicorn.socket"]
    key = environ["HTTP_SEC_WEBSOCKET_KEY"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
    connection.sendall(
        f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n".encode()
    )
    with connection.makefile("rb") as incoming:
        while True:
            head = incoming.read(2)
            if len(head) < 2 or head[0] != 0x81:
                break
            mask = incoming.read(4)
            text = incoming.read(head[1] & 0x7F)
            connection.sendall(bytes([0x81, len(text)]) + bytes(byte ^ mask[i % 4] for i, byte in enumerate(text)))
    # gunicorn takes this for a client that has gone, and sends no answer after the frames.
    raise BrokenPipeError(32, "the WebSocket has ended")
