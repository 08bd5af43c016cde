// Writes documents and indexes with Redis OM for Node.js, for the fixtures and the tests beside this
// folder.
//
// Usage: node redis_om_node.mjs write REDIS_URL   writes the documents and creates the indexes
//        node redis_om_node.mjs read REDIS_URL    reads the documents back and prints them, a JSON line each

import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/`);
const { createClient } = require("redis");
const { EntityId, Repository, Schema } = require("redis-om");

const [, , what, url] = process.argv;

const shared = {
  name: { type: "string", caseSensitive: true, sortable: true },
  bio: { type: "text", sortable: true },
  age: { type: "number", sortable: true },
  active: { type: "boolean" },
  joined: { type: "date", sortable: true },
  nick: { type: "string" },
  loc: { type: "point" },
};

const person = new Schema("person", {
  ...shared,
  tags: { type: "string[]" },
  nums: { type: "number[]" },
  city: { type: "string", path: "$.addr.city" },
}, { dataStructure: "JSON" });

const card = new Schema("card", {
  ...shared,
  tags: { type: "string[]", separator: ";" },
}, { dataStructure: "HASH" });

const entity = (name, nick, active) => ({
  name,
  bio: 'likes | tea, and "quotes"',
  age: 38,
  active,
  joined: new Date("2024-01-02T04:24:05.678Z"),
  ...(nick === undefined ? {} : { nick }),
  loc: { longitude: -122.6, latitude: 45.5 },
  tags: ["a", "b c"],
});

const client = createClient({ url });
await client.connect();
const repositories = { person: new Repository(person, client), card: new Repository(card, client) };

if (what === "write") {
  await repositories.person.createIndex();
  await repositories.card.createIndex();
  const more = { nums: [1, 2.5], addr: { city: "Rome" } };
  await repositories.person.save("01HMQ5ZK3S2N9V6C8X1B4D7F0G", { ...entity("Ann", null, true), ...more });
  await repositories.person.save("01HMQ5ZK3S2N9V6C8X1B4D7F0H", { ...entity("Zoë", "None", false), ...more });
  await repositories.card.save("01HMQ5ZK3S2N9V6C8X1B4D7F0J", entity("Ann", undefined, true));
  await repositories.card.save("01HMQ5ZK3S2N9V6C8X1B4D7F0K", entity("Zoë", "Z", false));
} else {
  for (const [model, repository] of Object.entries(repositories)) {
    const keys = (await client.keys(`${model}:01*`)).sort();
    for (const key of keys) {
      const found = await repository.fetch(key.slice(model.length + 1));
      console.log(JSON.stringify({ model, id: found[EntityId], ...found }));
    }
  }
}
await client.quit();
