from dataclasses import dataclass


@dataclass
class Road:
    start: str
    end: str
    length: float
