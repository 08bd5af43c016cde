"""Writes documents and indexes with RedisVL, for the fixtures and the tests beside this folder.

Usage: python -P redisvl.py write REDIS_URL   writes the documents and creates the indexes
       python -P redisvl.py read REDIS_URL    reads the documents back and prints them, a JSON line each
"""

import json
import struct
import sys

from redisvl.index import SearchIndex
from redisvl.query import VectorQuery


def schema(storage):
    path = (lambda name: {"path": f"$.{name}"}) if storage == "json" else (lambda name: {})
    fields = [
        {"name": "id", "type": "tag"},
        {"name": "title", "type": "text", "attrs": {"weight": 2.0}},
        {"name": "tags", "type": "tag", "attrs": {"separator": "|"}},
        {"name": "year", "type": "numeric", "attrs": {"sortable": True}},
        {"name": "loc", "type": "geo"},
        {
            "name": "emb",
            "type": "vector",
            "attrs": {"algorithm": "hnsw", "dims": 3, "distance_metric": "cosine", "datatype": "float32"},
        },
    ]
    return {
        "index": {"name": f"docs-{storage}", "prefix": f"docs-{storage}", "storage_type": storage},
        "fields": [{**field, **path(field["name"])} for field in fields],
    }


def documents(storage):
    vector = [1.0, 0.5, -1.0]
    for key, title in (("a", "Star wars"), ("b", "Zoë")):
        yield {
            "id": key,
            "title": title,
            "tags": ["x", "y"] if storage == "json" else "x|y",
            "year": 1977,
            "loc": "-122.6,45.5",
            "emb": vector if storage == "json" else struct.pack("<3f", *vector),
        }


def plain(value):
    return value.hex() if isinstance(value, bytes) else str(value)


for storage in ("hash", "json"):
    index = SearchIndex.from_dict(schema(storage), redis_url=sys.argv[2])
    if sys.argv[1] == "write":
        index.create(overwrite=True)
        index.load(list(documents(storage)), id_field="id")
        continue
    for key in ("a", "b"):
        print(json.dumps({"storage": storage, **index.fetch(key)}, default=plain, sort_keys=True))
    near = index.query(VectorQuery([1.0, 0.5, -1.0], "emb", return_fields=["id"], num_results=2))
    print(json.dumps({"storage": storage, "near": sorted(hit["id"] for hit in near)}))
