"""A client of web procedures, as the first of the original's longer examples: it waits for what is
not ready, and tells what goes wrong."""

import argparse
import time

import tarp.client

parser = argparse.ArgumentParser()
parser.add_argument("--server-url", default="http://localhost:8080")
parser.add_argument("--server-key", default=None)
arguments = parser.parse_args()

c = tarp.client.client(arguments.server_url, server_key=arguments.server_key)
c.setRange(lower=0, upper=3.14159)
c.generateData()


def fetch(endpoint, expected):
    while True:
        try:
            mimetype, result = endpoint()
            if mimetype != expected:
                print(f"unexpected: {mimetype}")
            return result
        except tarp.client.OperationInProgress as busy:
            print(f"{busy.message} (again in {busy.retry_after} s)")
            time.sleep(busy.retry_after)
        except tarp.client.InvalidServerState as wrong:
            print(wrong.message)
            return None
        except Exception as error:
            print(f"failed: {error}")
            return None


print(fetch(c.getData, "application/json"))
picture = fetch(c.showFigure, "image/png")
print(f"{len(picture)} bytes of {picture[1:4]}")

print(fetch(lambda: c.getData(lower="low"), "application/json"))
