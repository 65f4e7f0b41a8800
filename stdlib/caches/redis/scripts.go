package redis

import "github.com/redis/go-redis/v9"

const prefix = "{dspi:cache:1}:"

// keys are the KEYS of every script, in the order in which they stand there.
var keys = []string{prefix + "size", prefix + "made", prefix + "used", prefix + "ends", prefix + "total", prefix + "v:"}

// head names the keys, and has what several scripts do.
const head = `
local size, made, used, ends, total, values = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local function drop(k)
	local n = redis.call('HGET', size, k)
	redis.call('DEL', values .. k)
	if not n then return 0 end
	redis.call('HDEL', size, k)
	redis.call('ZREM', made, k)
	redis.call('ZREM', used, k)
	redis.call('ZREM', ends, k)
	redis.call('HINCRBY', total, 'bytes', -tonumber(n))
	return 1
end
local function dropAll(list)
	for _, k in ipairs(list) do drop(k) end
	return #list
end
`

var (
	// get: key, now.
	get = redis.NewScript(head + `
local k, now = ARGV[1], tonumber(ARGV[2])
local value, over = redis.call('GET', values .. k), redis.call('ZSCORE', ends, k)
if value and not (over and tonumber(over) <= now) then
	redis.call('HINCRBY', total, 'hits', 1)
	redis.call('ZADD', used, now, k)
	return value
end
drop(k)
redis.call('HINCRBY', total, 'misses', 1)
return false
`)

	// put: key, now, when it is over or 0, how many bytes there may be, value.
	put = redis.NewScript(head + `
local k, now, over, most, value = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
drop(k)
dropAll(redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, 100))
if #value > most then return 0 end
if over > 0 then
	redis.call('SET', values .. k, value, 'PX', over - now)
	redis.call('ZADD', ends, over, k)
else
	redis.call('SET', values .. k, value)
end
redis.call('HSET', size, k, #value)
redis.call('ZADD', made, now, k)
redis.call('ZADD', used, now, k)
local bytes = redis.call('HINCRBY', total, 'bytes', #value)
while bytes > most do
	local last = redis.call('ZRANGE', used, 0, 0)
	if #last == 0 then break end
	drop(last[1])
	bytes = tonumber(redis.call('HGET', total, 'bytes'))
end
return 1
`)

	// remove: key.
	remove = redis.NewScript(head + `return drop(ARGV[1])`)

	// sweep: now, how many at once. What is over is removed.
	sweep = redis.NewScript(head + `return dropAll(redis.call('ZRANGEBYSCORE', ends, '-inf', ARGV[1], 'LIMIT', 0, ARGV[2]))`)

	// clearBefore: the end of the times, how many at once.
	clearBefore = redis.NewScript(head + `return dropAll(redis.call('ZRANGEBYSCORE', made, '-inf', ARGV[1], 'LIMIT', 0, ARGV[2]))`)

	forgetCounts = redis.NewScript(head + `return redis.call('HDEL', total, 'hits', 'misses')`)

	// stats returns texts: entries, bytes, hits, misses, oldest, newest.
	stats = redis.NewScript(head + `
local first = redis.call('ZRANGE', made, 0, 0, 'WITHSCORES')
local last = redis.call('ZREVRANGE', made, 0, 0, 'WITHSCORES')
local function count(name) return redis.call('HGET', total, name) or '0' end
return {tostring(redis.call('HLEN', size)), count('bytes'), count('hits'), count('misses'), first[2] or '0', last[2] or '0'}
`)
)
