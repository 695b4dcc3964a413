-- wrk -s cycle.lua URL -- BODIES [close]
-- Posts the lines of the file BODIES in turn, and prints what wrk measured as one line of JSON.
-- With "close" each request has a connection of its own. Lines may begin with a path and a tab.

dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "report.lua")

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
