-- wrk -s cycle.lua URL -- BODIES [close]
-- Posts the lines of the file BODIES in turn, and prints what wrk measured as one line of JSON.
-- With "close" each request has a connection of its own. Lines may begin with a path and a tab.

local requests = {}
local nextRequest = 0


function init(args)
  wrk.headers["Content-Type"] = "application/json"
  if args[2] == "close" then wrk.headers["Connection"] = "close" end
  for line in io.lines(args[1]) do
    local path, body = line:match("^(/[^\t]*)\t(.*)$")
    table.insert(requests, wrk.format("POST", path or wrk.path, nil, body or line))
  end
end

function request()
  nextRequest = nextRequest % #requests + 1
  return requests[nextRequest]
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"statuses":%d,"connect":%d,"read":%d,'
      .. '"write":%d,"timeout":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect, errors.read, errors.write, errors.timeout))
end
