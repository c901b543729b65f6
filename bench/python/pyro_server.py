"""The peer of the calls: a Pyro5 server as its manual writes one, in a process of its own."""

import Pyro5.api


@Pyro5.api.expose
class Adder:
    def add(self, x, y):
        return x + y


daemon = Pyro5.api.Daemon()
print(daemon.register(Adder), flush=True)
daemon.requestLoop()
