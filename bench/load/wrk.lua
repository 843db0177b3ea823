-- For wrk: sends the requests of the file REQUESTS one after the other, over and over, and tells what came of it.
-- Each request is a line with its length in octets, and then these octets.

local requests, at = {}, 0

function init(arguments)
    local file = assert(io.open(os.getenv("REQUESTS"), "rb"))
    for length in function() return file:read("*n", "*l") end do
        requests[#requests + 1] = file:read(length)
    end
    file:close()
end

function request()
    at = at % #requests + 1
    return requests[at]
end

function done(summary, latency, all)
    local failed = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
    print(string.format(
        '\n{"answers": %d, "microseconds": %d, "refused": %d, "failed": %d, "p50": %d, "p99": %d}',
        summary.requests, summary.duration, summary.errors.status, failed,
        latency:percentile(50), latency:percentile(99)
    ))
end
