-- The steps of a transaction, each a function that waits (`coroutine.yield`) where it is ready to
-- write, and what they tell each other: reservations of unique fields that are claimed and released,
-- by the document; documents by their keys; keys that raw commands touch.
local bodies = {}
local together = { claimed = {}, released = {}, documents = {}, touched = {} }
