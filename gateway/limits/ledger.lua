--[[
One model's books, shared by all replicas: ledger.py in Redis, and who may write in it.

    EVALSHA <sha> 9 <keys> <request> [<now in ms>]

Keys, all under the model's hash tag; what is empty does not exist:

    head    hash   epoch, the name of these books; touched, when they were last used, in ms;
                   turns, a counter; closed, while the roll is being called
    slots   hash   id -> {tenant, account} of a holder, {tenant, limit, pool, member} of a waiter
    leases  zset   id by the time at which its replica has to have been heard of again, in ms
    counts  hash   "tenant:<name>" and "account:<name>" -> slots held, of all and of each replica
    lines   zset   waiters as "<tenant>\0<turn>\0<id>", all of score 0, in the order of their bytes
    turns   zset   tenant in line by its turn; parked behind all others while it has all it may have
    pools   hash   packed accounts -> waiters that want one of them
    roll    zset   replica by the time until which its registration is awaited, 0 once it is there
    marks   hash   "<replica> <count>" -> the most slots beyond its share that it has told the others of

The request and the reply are msgpack maps; wire.py describes their fields. An id is "<replica>:<number>". A
replica sends numbers only, so it cannot touch the slot of another.

Books are new when there are none (Redis started empty, was flushed, forgot them) or only some pages of them
(Redis evicts one key and leaves another), when nobody touched them for so long that leases say nothing (Redis was
out of reach for all) or the clock was set back by as much (they would end as much later), and when a replica asks
for it, because this server has never run this script (it was restarted, or took over) or because slots were given
out without it.
New books call the roll: nobody is admitted before every replica known to anybody has registered what it holds,
or may be given up. Until then what is held is written down without question; afterwards only if there is room.

Without <now>, which is for tests, the time is Redis' own.
]]

local head, slots, leases, counts, lines, turns, pools, roll, marks = unpack(KEYS)
local call, encode, decode = redis.call, cmsgpack.pack, cmsgpack.unpack
local request = decode(ARGV[1])
local reply = {stale = false, lost = {}, answers = {}, turns = {}, expired = 0}
local told, raised = {}, {}

local PARKED = 2 ^ 52
local KEPT_MS = 3600 * 1000
local NEWS = 'glm-gateway:news'

local now = tonumber(ARGV[2])
if not now then
    local time = call('TIME')
    now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local lease_end = now + request.lease_ms

local epoch, touched, closed = unpack(call('HMGET', head, 'epoch', 'touched', 'closed'))

local function id_of(number)
    return request.replica .. ':' .. string.format('%d', number)
end

local function replica_of(id)
    return id:match('^[^:]*')
end

local function held(what)
    return tonumber(call('HGET', counts, what) or 0)
end

local function next_turn()
    return call('HINCRBY', head, 'turns', 1)
end

local function subtract(key, field)
    if call('HINCRBY', key, field, -1) <= 0 then
        call('HDEL', key, field)
    end
end

-- The line of a tenant ------------------------------------------------------------------------------------

local function waiting(tenant)
    return call('ZLEXCOUNT', lines, '[' .. tenant .. '\0', '(' .. tenant .. '\1')
end

local function position(tenant, member)
    return call('ZLEXCOUNT', lines, '[' .. tenant .. '\0', '[' .. member)
end

local function first(tenant)
    local members = call('ZRANGEBYLEX', lines, '[' .. tenant .. '\0', '(' .. tenant .. '\1', 'LIMIT', 0, 1)
    return members[1] and members[1]:sub(#tenant + 19)
end

local function join(id, tenant, limit, pool)
    local turn = next_turn()
    local member = string.format('%s\0%016d\0%s', tenant, turn, id)
    call('HSET', slots, id, encode({tenant, limit, pool, member}))
    call('ZADD', leases, lease_end, id)
    call('ZADD', lines, 0, member)
    call('ZADD', turns, 'NX', turn, tenant)
    call('HINCRBY', pools, encode(pool), 1)
end

local function leave(waiter)
    local tenant, _, pool, member = unpack(waiter)
    call('ZREM', lines, member)
    subtract(pools, encode(pool))
    if not first(tenant) then
        call('ZREM', turns, tenant)
    end
end

local function park(tenant, turn)
    call('ZADD', turns, turn + PARKED, tenant)
end

local function unpark(tenant)
    local turn = tonumber(call('ZSCORE', turns, tenant) or 0)
    if turn >= PARKED then
        call('ZADD', turns, turn - PARKED, tenant)
    end
end

-- Slots ---------------------------------------------------------------------------------------------------

local function room(tenant, limit, pool)
    if closed or held('tenant:' .. tenant) >= limit then
        return nil
    end
    local best, best_limit, least = nil, nil, 1
    for _, account in ipairs(pool) do
        local name, account_limit = account[1], account[2]
        local n = held('account:' .. name)
        if n < account_limit and n / account_limit < least then
            best, best_limit, least = name, account_limit, n / account_limit
        end
    end
    return best, best_limit
end

-- Whoever goes beyond its share for the first time makes it known: should Redis go away, the others have to know.
local function count(replica, what, limit)
    call('HINCRBY', counts, what, 1)
    local field = replica .. ' ' .. what
    local n = call('HINCRBY', counts, field, 1)
    if n > math.floor(limit / request.replicas) and n > tonumber(call('HGET', marks, field) or 0) then
        call('HSET', marks, field, n)
        raised[#raised + 1] = {field, n}
    end
end

local function take(id, tenant, limit, account, account_limit)
    call('HSET', slots, id, encode({tenant, account}))
    count(replica_of(id), 'tenant:' .. tenant, limit)
    count(replica_of(id), 'account:' .. account, account_limit)
end

local function give_back(id, holder)
    for _, what in ipairs({'tenant:' .. holder[1], 'account:' .. holder[2]}) do
        subtract(counts, what)
        subtract(counts, replica_of(id) .. ' ' .. what)
    end
end

local function let_go(id)
    local packed = call('HGET', slots, id)
    if packed then
        local record = decode(packed)
        call('HDEL', slots, id)
        call('ZREM', leases, id)
        if #record == 2 then
            give_back(id, record)
        else
            leave(record)
        end
        unpark(record[1])
    end
end

local function tell(id, account)
    local replica = replica_of(id)
    local turn = {tonumber(id:sub(#replica + 2)), account}
    if replica == request.replica then
        table.insert(reply.turns, turn)
    else
        told[replica] = told[replica] or {}
        table.insert(told[replica], turn)
    end
end

local function serve(id, waiter, account, account_limit)
    local tenant, limit = waiter[1], waiter[2]
    leave(waiter)
    take(id, tenant, limit, account, account_limit)
    call('ZADD', turns, 'XX', next_turn(), tenant)
    tell(id, account)
end

local function hand_off()
    local passed, full, fulls = '-inf', {}, 0
    while not closed and fulls < call('HLEN', pools) do
        local tenant, turn = unpack(call(
            'ZRANGEBYSCORE', turns, passed, '(' .. string.format('%d', PARKED), 'WITHSCORES', 'LIMIT', 0, 1))
        if not tenant then
            return
        end
        local id = first(tenant)
        local waiter = decode(call('HGET', slots, id))
        local _, limit, pool = unpack(waiter)
        if held('tenant:' .. tenant) >= limit then
            park(tenant, turn)
        else
            local account, account_limit = room(tenant, limit, pool)
            if account then
                serve(id, waiter, account, account_limit)
            else
                local packed = encode(pool)
                fulls = fulls + (full[packed] and 0 or 1)
                full[packed] = true
                passed = '(' .. turn
            end
        end
    end
end

-- Books ---------------------------------------------------------------------------------------------------

local function lost_sight()
    local long_ms, since = request.lease_ms * 2 / 3, now - tonumber(touched)
    return since < -long_ms or since > long_ms and call('EXISTS', slots) == 1
end

local function are_torn()
    local known, in_line = call('HLEN', slots), call('ZCARD', lines)
    local others = (in_line > 0 and 2 or 0) + (known > in_line and 1 or 0)
    return call('ZCARD', leases) ~= known or call('EXISTS', turns, pools, counts) ~= others
end

local function begin()
    call('DEL', unpack(KEYS))
    epoch, closed = string.format('%d', now) .. request.replica, '1'
    call('HSET', head, 'epoch', epoch, 'closed', closed)
    call('PEXPIRE', head, KEPT_MS)
    call('ZADD', roll, lease_end, request.replica)
    call('PUBLISH', NEWS, encode({'roll', request.model, epoch}))
end

local function register()
    if closed then
        call('ZADD', roll, 0, request.replica)
        for _, peer in ipairs(request.peers) do
            call('ZADD', roll, 'NX', now + peer[2], peer[1])
        end
    end
end

local function expire()
    local ids = call('ZRANGEBYSCORE', leases, '-inf', now)
    for _, id in ipairs(ids) do
        let_go(id)
    end
    reply.expired = #ids
    if #ids > 0 then
        hand_off()
    end
end

local function open()
    local awaited_until = call('ZREVRANGE', roll, 0, 0, 'WITHSCORES')[2]
    if tonumber(awaited_until) <= now then
        closed = nil
        call('DEL', roll)
        call('HDEL', head, 'closed')
        hand_off()
    end
end

-- What a replica asks for ---------------------------------------------------------------------------------

local function hold(number, tenant, limit, account, account_limit)
    local id = id_of(number)
    local packed = call('HGET', slots, id)
    local record = packed and decode(packed)
    if not (record and #record == 2 and record[2] == account) then
        let_go(id)
        local fits = held('tenant:' .. tenant) < limit and held('account:' .. account) < account_limit
        if not (closed or fits) then
            table.insert(reply.lost, number)
            return hand_off()
        end
        take(id, tenant, limit, account, account_limit)
        hand_off()
    end
    call('ZADD', leases, lease_end, id)
end

local asked = {}

function asked.acquire(number, tenant, limit, pool, queue_size)
    local id = id_of(number)
    local packed = call('HGET', slots, id)
    local record = packed and decode(packed)
    if record and #record > 2 and (record[2] ~= limit or encode(record[3]) ~= encode(pool)) then
        subtract(pools, encode(record[3]))
        call('HINCRBY', pools, encode(pool), 1)
        call('HSET', slots, id, encode({tenant, limit, pool, record[4]}))
        unpark(tenant)
        hand_off()
        record = decode(call('HGET', slots, id))
    end
    if record then
        call('ZADD', leases, lease_end, id)
        if #record == 2 then
            return {'granted', record[2]}
        end
        return {'waiting', position(tenant, record[4]), held('tenant:' .. tenant)}
    end
    local in_line = call('ZSCORE', turns, tenant)
    if not in_line then
        local account, account_limit = room(tenant, limit, pool)
        if account then
            take(id, tenant, limit, account, account_limit)
            call('ZADD', leases, lease_end, id)
            return {'granted', account}
        end
    end
    local before = in_line and waiting(tenant) or 0
    if before >= queue_size then
        return {'full', before, held('tenant:' .. tenant)}
    end
    join(id, tenant, limit, pool)
    return {'waiting', before + 1, held('tenant:' .. tenant)}
end

function asked.release(number)
    let_go(id_of(number))
    hand_off()
    return {'done'}
end

-- Sent now and then by every replica, so that all keys end some time after the last of them.
function asked.keep()
    local fields = call('HGETALL', marks)
    for i = 1, #fields, 2 do
        local field, n = fields[i], held(fields[i])
        if n < tonumber(fields[i + 1]) and (n == 0 or field:match('^[^ ]*') == request.replica) then
            if n == 0 then
                call('HDEL', marks, field)
            else
                call('HSET', marks, field, n)
            end
            raised[#raised + 1] = {field, n}
        end
    end
    for _, key in ipairs(KEYS) do
        call('PEXPIRE', key, KEPT_MS)
    end
    local elsewhere, totals, all = {}, {}, call('HGETALL', counts)
    for i = 1, #all, 2 do
        totals[all[i]] = tonumber(all[i + 1])
    end
    for what, total in pairs(totals) do
        if what:match('^tenant:') or what:match('^account:') then
            local others = total - (totals[request.replica .. ' ' .. what] or 0)
            if others > 0 then
                table.insert(elsewhere, {what, others})
            end
        end
    end
    return {'kept', elsewhere, call('HGETALL', marks)}
end

-- The order of things -------------------------------------------------------------------------------------

local recount = request.call_roll and (request.epoch == '' or request.epoch == epoch)
if not epoch or recount or lost_sight() or are_torn() then
    begin()
end
call('HSET', head, 'touched', now)
reply.epoch = epoch

if request.peers then
    register()
elseif request.epoch ~= epoch then
    reply.stale = true
    return encode(reply)
end

expire()
for _, holding in ipairs(request.holds) do
    hold(unpack(holding))
end
if closed then
    open()
end
for _, operation in ipairs(request.operations) do
    table.insert(reply.answers, asked[operation[1]](unpack(operation, 2)))
end
reply.closed = closed and true or false
for replica, turned in pairs(told) do
    call('PUBLISH', 'glm-gateway:turns:' .. replica, encode({request.model, turned}))
end
if #raised > 0 then
    call('PUBLISH', NEWS, encode({'marks', request.model, raised}))
end
return encode(reply)
