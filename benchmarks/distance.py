"""A server seen from afar: through a proxy that delays and counts."""

import json
import subprocess

from support.mailferry import program


class Distance:
    """Stands in for `server`: its port is the proxy's, everything else its own."""

    def __init__(self, server, round_trip_ms):
        self._server, self._round_trip_ms = server, round_trip_ms

    def __enter__(self):
        self._proxy = subprocess.Popen(
            [program("delay_proxy"), str(self._round_trip_ms), str(self._server.port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self._proxy.stdout.readline())
        self._before = self._counts()
        return self

    def __exit__(self, *_):
        self._proxy.stdin.close()
        self._proxy.wait()

    def __getattr__(self, name):
        return getattr(self._server, name)

    def _counts(self):
        self._proxy.stdin.write("\n")
        self._proxy.stdin.flush()
        return json.loads(self._proxy.stdout.readline())

    def since_last(self):
        """Bytes, connections and round trips since the last question."""
        now = self._counts()
        difference = {key: now[key] - self._before[key] for key in now}
        self._before = now
        return difference


class Near:
    """The server itself, in the place of a Distance: nothing is delayed and nothing counted."""

    def __init__(self, server):
        self._server = server

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def __getattr__(self, name):
        return getattr(self._server, name)

    def since_last(self):
        return None
