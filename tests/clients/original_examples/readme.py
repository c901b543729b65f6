"""Uses the interface of the original client as its README shows it."""

import sys

import tarp.client

client = tarp.client.client(sys.argv[1])

print(client.my_function(1, 2), client.my_function(x=1, y=2))
print(client.my_function.__doc__)

handle = client.my_long_function(1, 2)
print(handle.wait())
print(handle.status())
result = None
while result is None:
    result = handle.waitCycle()
print(result)

client.set_params(lower=0, upper=3.14159)
mimetype, data = client.get_data(lower=0, upper=3.14159)
print(mimetype, data)
mimetype, plot = client.get_plot()
print(mimetype, len(plot), plot[:8])
