-- wrk -s depth.lua URL -- DEPTH
-- Sends DEPTH requests at once on each connection and the next when all are answered, and prints what wrk measured as one
-- line of JSON.

dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "report.lua")

local batch


function init(args)
  batch = string.rep(wrk.format(), tonumber(args[1]))
end

function request()
  return batch
end
