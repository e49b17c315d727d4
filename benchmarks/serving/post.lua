-- wrk -s post.lua URL -- HEADERS_FILE BODY_FILE: posts one request again and again, and ends with one line of JSON.
-- Headers come in a file, "Name: value" a line, because command lines are seen by all.

function init(args)
   for line in io.lines(args[1]) do
      local name, value = line:match("^([^:]+): (.*)$")
      wrk.headers[name] = value
   end
   local file = assert(io.open(args[2], "rb"))
   wrk.method, wrk.body = "POST", file:read("*a")
   file:close()
end

function done(summary, latency)
   local e = summary.errors
   print(string.format(
      '{"requests": %d, "seconds": %.6f, "refused": %d, "broken": %d, "p50_ms": %.3f, "p99_ms": %.3f}',
      summary.requests, summary.duration / 1e6, e.status, e.connect + e.read + e.write + e.timeout,
      latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
