"""Writes documents and indexes with Redis OM Python, for the fixtures and the tests beside this folder.

Usage: redis_om_python.py write REDIS_URL   writes the documents and creates the indexes
       redis_om_python.py read REDIS_URL    reads the documents back and prints them, a JSON line each
"""

import datetime
import json
import os
import sys
import uuid
from decimal import Decimal
from enum import Enum
from typing import List, Optional

os.environ["REDIS_OM_URL"] = sys.argv[2]

from redis_om import (  # noqa: E402  (the URL must be known before)
    EmbeddedJsonModel,
    Field,
    HashModel,
    JsonModel,
    Migrator,
    VectorFieldOptions,
    get_redis_connection,
)

ZONE = datetime.timezone.utc
EMBEDDING = VectorFieldOptions.flat(
    type=VectorFieldOptions.TYPE.FLOAT32,
    dimension=3,
    distance_metric=VectorFieldOptions.DISTANCE_METRIC.COSINE,
)


class Rank(Enum):
    BRONZE = "bronze"
    GOLD = "gold"


class Address(EmbeddedJsonModel):
    city: str = Field(index=True)
    street: str


class Person(JsonModel, index=True):
    name: str = Field(index=True, sortable=True)
    bio: str = Field(index=True, full_text_search=True)
    age: int = Field(index=True, sortable=True)
    active: bool = Field(index=True)
    joined: datetime.datetime = Field(index=True)
    born: datetime.date
    nick: Optional[str] = Field(index=True, default=None)
    tags: List[str] = Field(index=True)
    rank: Rank
    code: uuid.UUID
    price: Decimal
    blob: bytes
    addr: Address
    emb: List[float] = Field(index=True, vector_options=EMBEDDING)

    class Meta:
        global_key_prefix = "app"
        model_key_prefix = "person"


class Card(HashModel, index=True):
    name: str = Field(index=True, sortable=True)
    bio: str = Field(index=True, full_text_search=True)
    age: int = Field(index=True, sortable=True)
    active: bool = Field(index=True)
    joined: datetime.datetime = Field(index=True)
    born: datetime.date
    nick: Optional[str] = Field(index=True, default=None)
    rank: Rank
    code: uuid.UUID
    price: Decimal
    blob: bytes

    class Meta:
        global_key_prefix = "app"
        model_key_prefix = "card"


def shared(name, nick, active):
    return {
        "name": name,
        "bio": "likes | tea, and \"quotes\"",
        "age": 38,
        "active": active,
        "joined": datetime.datetime(2024, 1, 2, 4, 24, 5, 678000, ZONE),
        "born": datetime.date(1985, 2, 3),
        "nick": nick,
        "rank": Rank.GOLD,
        "code": uuid.UUID("12345678-1234-5678-1234-567812345678"),
        "price": Decimal("1.25"),
        "blob": bytes(range(256)),
    }


def people():
    extra = {"tags": ["a", "b c"], "addr": {"city": "Rome", "street": "Via 1"}, "emb": [1.0, 0.5, -1.0]}
    yield Person(pk="01HMQ5ZK3S2N9V6C8X1B4D7F0G", **shared("Ann", None, True), **extra)
    yield Person(pk="01HMQ5ZK3S2N9V6C8X1B4D7F0H", **shared("Zoë", "None", False), **extra)
    yield Card(pk="01HMQ5ZK3S2N9V6C8X1B4D7F0J", **shared("Ann", None, True))
    yield Card(pk="01HMQ5ZK3S2N9V6C8X1B4D7F0K", **shared("Zoë", "Z", False))


def write():
    get_redis_connection().ping()
    Migrator().run()
    for person in people():
        person.save()


def read():
    for model in (Person, Card):
        for pk in sorted(model.all_pks()):
            fields = model.get(pk).model_dump()
            print(json.dumps({"model": model.__name__, **fields}, default=plain, sort_keys=True))


def plain(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Enum):
        return value.value
    return str(value)


{"write": write, "read": read}[sys.argv[1]]()
