"""Serves one OpenStack API on loopback: python -m cloudlab.services.wsgi MODULE PORT [THREADS]."""

import importlib
import sys

import waitress


def serve(application, port: int, threads: int) -> None:
    waitress.serve(application, host="127.0.0.1", port=port, threads=threads, channel_timeout=300, ident=None,
                   connection_limit=500)


def main() -> None:
    module, port, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 8
    sys.argv = [module]  # the services read their own options from it
    application = importlib.import_module(module).application
    if module.startswith("neutron."):
        # enforcers are built lazily and not thread-safely: the first parallel requests would get 403
        from neutron import policy

        policy.init()
    serve(application, port, threads)


if __name__ == "__main__":
    main()
