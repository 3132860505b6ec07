--[[
Which replicas share the limits.

    EVALSHA <sha> 1 <replicas> <replica> <lease in ms>

The key is a zset: replica by the time until which it counts, in ms. A replica that says 0 leaves. The reply is
msgpack: {known, {{replica, ms it has left}, ...}}; "known" is whether this replica was counted before. Who counts
for longer than any lease was seen before the clock was set back: if it is there, it says so again soon.
]]

local replicas, replica, lease_ms = KEYS[1], ARGV[1], tonumber(ARGV[2])
local call, encode = redis.call, cmsgpack.pack
local LONGEST_LEASES = 100

local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function tell(what)
    call('PUBLISH', 'glm-gateway:news', encode({what, replica, {lease_ms}}))
end

call('ZREMRANGEBYSCORE', replicas, '-inf', now)
if lease_ms > 0 then
    call('ZREMRANGEBYSCORE', replicas, '(' .. string.format('%d', now + LONGEST_LEASES * lease_ms), '+inf')
end
local known = call('ZSCORE', replicas, replica) and true or false
if lease_ms == 0 then
    call('ZREM', replicas, replica)
    tell('left')
else
    call('ZADD', replicas, now + lease_ms, replica)
    call('PEXPIRE', replicas, lease_ms)
    if not known then
        tell('joined')
    end
end

local peers = {}
local scored = call('ZRANGE', replicas, 0, -1, 'WITHSCORES')
for i = 1, #scored, 2 do
    peers[#peers + 1] = {scored[i], tonumber(scored[i + 1]) - now}
end
return encode({known, peers})
