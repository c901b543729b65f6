from __future__ import annotations

from .types import Road


def integral(expression: str, variable: str = "x") -> str:
    """The antiderivative, by parts of sympy that it imports itself when they are needed."""
    import sympy

    return str(sympy.integrate(sympy.sympify(expression), sympy.Symbol(variable)))


def shortest(roads: list[Road], start: str, end: str) -> tuple[float, list[str]]:
    import networkx as nx

    graph = nx.Graph()
    graph.add_weighted_edges_from((road.start, road.end, road.length) for road in roads)
    return nx.single_source_dijkstra(graph, start, end)


def convert(value: float, unit: str, into: str) -> float:
    import pint

    return pint.UnitRegistry().Quantity(value, unit).to(into).magnitude
