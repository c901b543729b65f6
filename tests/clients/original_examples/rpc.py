"""A client of procedures and jobs, as the second of the original's longer examples."""

import argparse
import sys
import time

import tarp.client

parser = argparse.ArgumentParser()
parser.add_argument("--server-url", default="http://localhost:8080")
parser.add_argument("--server-key", default=None)
arguments = parser.parse_args()

c = tarp.client.client(arguments.server_url, server_key=arguments.server_key)
print(c.rpcExample(15, lower=0, upper=100))

call = c.asyncRPCExample(15, lower=0, upper=10)
print(f"started: {call.ID}")
state = call.probe()
while state["status"] == "in_progress":
    print(f"not yet: again in {state['suggested_wait']} s")
    time.sleep(state["suggested_wait"])
    state = call.probe()
print(f"ended: {state['status']}, {call.wait()}")

try:
    c.rpcExample("many")
except Exception as error:
    print(f"failed: {error}")

for name in sorted(c.remoteNames):
    print(name, getattr(c, name).__doc__)
sys.exit(0)
