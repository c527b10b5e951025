"""Bounded memory: what is kept, belongs to a project, and gives way to the newer."""

from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar

from sandbox.errors import not_found


class Kept(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def project(self) -> str: ...


Item = TypeVar("Item", bound=Kept)


class Shelf(Generic[Item]):
    """Items by id in order of arrival. Over `capacity` (as `weigh` counts it) the oldest are dropped."""

    def __init__(self, noun: str, capacity: int, weigh: Callable[[Item], int] = lambda item: 1) -> None:
        self.noun = noun
        self.capacity = capacity
        self.weigh = weigh
        self.items: dict[str, Item] = {}
        self.weight = 0

    def put(self, item: Item) -> Item:
        self.items[item.id] = item
        self.weight += self.weigh(item)
        while self.weight > self.capacity and len(self.items) > 1:
            self.drop(next(iter(self.items)))
        return item

    def drop(self, id: str) -> None:
        self.weight -= self.weigh(self.items.pop(id))

    def get(self, project: str, id: str) -> Item | None:
        item = self.items.get(id)
        return item if item is not None and item.project == project else None

    def find(self, project: str, id: str, param: str = "id") -> Item:
        """The item, or the 404 that OpenAI gives for what is unknown or another project's."""
        item = self.get(project, id)
        if item is None:
            raise not_found(f"{self.noun} with id '{id}' not found.", param)
        return item

    def of(self, project: str) -> Iterator[Item]:
        return (item for item in self.items.values() if item.project == project)

    def clear(self) -> None:
        self.items.clear()
        self.weight = 0
