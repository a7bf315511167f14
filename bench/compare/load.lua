-- Requests and report of wrk for bench/compare: wrk … URL -- put|get|wait raftfast|etcd DEPTH VALUE-BYTES
-- "wait" is a GET that waits for a key that no "put" writes; RaftFast only.
-- DEPTH requests are sent at once. wrk counts each answer, but measures only the time of the last answer.
local keys = 1000 -- fewer of large values, which are all in memory
local value = ""
local batches = {}
local next_batch = 0
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

local function one(method, server, key)
  if method == "WAIT" then
    return wrk.format("GET", "/wait-" .. key, { ["Prefer"] = "wait=60" })
  end
  if server == "raftfast" then
    return wrk.format(method, "/key-" .. key, nil, method == "PUT" and value or nil)
  end
  if method == "GET" then
    return wrk.format("GET", "/v2/keys/key-" .. key .. "?quorum=true")
  end
  local headers = { ["Content-Type"] = "application/x-www-form-urlencoded" }
  return wrk.format("PUT", "/v2/keys/key-" .. key, headers, "value=" .. value)
end

function init(args)
  local method, server, depth = string.upper(args[1]), args[2], tonumber(args[3])
  value = string.rep("x", tonumber(args[4]))
  keys = math.max(16, math.min(keys, math.floor(67108864 / math.max(1, #value))))
  for first = 0, keys - 1 do
    local requests = {}
    for i = 0, depth - 1 do
      requests[i + 1] = one(method, server, string.format("%06d", (first * depth + i) % keys))
    end
    batches[first] = table.concat(requests)
  end
  -- Each thread begins at another key, so that threads don't write the same key at the same time.
  next_batch = number * math.floor(keys / 8)
end

function request()
  next_batch = (next_batch + 1) % keys
  return batches[next_batch]
end

-- Prints: requests a second, p50 µs, p99 µs, answers that are not 2xx, connection errors.
function done(summary, latency)
  local e = summary.errors
  io.write(string.format("result %.1f %d %d %d %d\n",
    summary.requests / (summary.duration / 1e6), latency:percentile(50), latency:percentile(99), e.status,
    e.connect + e.read + e.write + e.timeout))
end
