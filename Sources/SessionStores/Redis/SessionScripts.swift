/// What Redis runs for sessions, each as one step that nothing comes between.
///
/// Keys, with NAME for `{MODEL/ID}`, whose braces make a cluster keep the keys of a session together:
/// - `carousel:s:NAME`, a hash: v the version (the microseconds at which it began, and one more for each move: a session that has the id
///   of one that ended never has a version of that one), n the steps, c and u when it was created and used (milliseconds of Redis's
///   clock), k the checksum, t the token of its last move, d the floats. It expires when nobody uses it.
/// - `carousel:l:NAME`, the lease: the token of the request that has it.
/// - `carousel:e:NAME`, how it ended (`SessionEnd`'s number, a space, the token of the move that ended it).
/// - `carousel:i:MODEL`, a sorted set of the ids by when they were used.
/// - `carousel:models`, a set of `FINGERPRINT NAME` of the models that are or were served.
enum SessionScripts {
  static let all = [take, move, release, renew, touch, damage, list, expire]

  private static let now = """
    local t = redis.call('TIME')
    local now = t[1] * 1000 + math.floor(t[2] / 1000)

    """

  /// Takes leases of sessions, all or none, and looks these and others up.
  ///
  /// KEYS: of each session s, l, e, i; then of each `namesakes` s keys. ARGV: token, lease ms, idle ms, namesakes, then of
  /// each session the id and `l` to take its lease, `r` to read where nobody has it, or `p` to read in any case.
  /// Returns the index of a session that another request has; or an array a session: version, steps, age, idle (ms), checksum,
  /// floats, or the number of its end, or nothing.
  static let take = RedisScript(
    name: "take",
    text: now + """
      local sessions = (#ARGV - 4) / 2
      for i = 1, sessions do
        if ARGV[4 + 2 * i] ~= 'p' then
          local holder = redis.call('GET', KEYS[4 * i - 2])
          if holder and holder ~= ARGV[1] then return i end
        end
      end
      local found = {}
      for i = 1, sessions do
        local s, l, e, x = unpack(KEYS, 4 * i - 3, 4 * i)
        local id, mode = ARGV[3 + 2 * i], ARGV[4 + 2 * i]
        local r = redis.call('HMGET', s, 'v', 'n', 'c', 'u', 'k', 'd')
        if mode == 'l' then
          redis.call('SET', l, ARGV[1], 'PX', ARGV[2])
          if r[1] then redis.call('PEXPIRE', s, ARGV[2] + ARGV[3]) end
        end
        if r[1] then
          found[i] = {r[1], r[2], now - r[3], now - r[4], r[5], r[6]}
        else
          local reason = redis.call('GET', e)
          if reason then
            found[i] = {string.match(reason, '^%d+')}
          else
            local used = redis.call('ZSCORE', x, id)
            found[i] = {}
            if used then
              found[i] = {(used + ARGV[3] <= now) and '2' or '1'}
            else
              for j = 1, ARGV[4] do
                if redis.call('EXISTS', KEYS[4 * sessions + (i - 1) * ARGV[4] + j]) == 1 then
                  found[i] = {'4'}
                end
              end
            end
          end
        end
      end
      return found
      """)

  /// Makes the moves of a request, all or none, and gives its leases back in any case.
  ///
  /// KEYS: of each session s, l, e, i. ARGV: token, idle ms, ms that ends are remembered, then of each session: lease, id,
  /// version, steps, whether it began (1), whether it ends (1), checksum, floats.
  /// Returns 0, or the index of a session that has another version and its steps, -1 where it is not there.
  static let move = RedisScript(
    name: "move",
    text: now + """
      local sessions = (#ARGV - 3) / 8
      local done, wrong = {}, nil
      for i = 1, sessions do
        local s, l, e, x = unpack(KEYS, 4 * i - 3, 4 * i)
        local lease, id, version, steps, anew, ends = unpack(ARGV, 8 * i - 4, 8 * i + 1)
        local r = redis.call('HMGET', s, 'v', 'n', 't')
        redis.call('ZSCORE', x, id)
        local reason = redis.call('GET', e)
        local found = tonumber(r[1] or '0')
        if ends == '1' then
          done[i] = not r[1] and reason == '3 ' .. ARGV[1]
        else
          done[i] = r[3] == ARGV[1]
        end
        if not done[i] and not wrong and found ~= tonumber(version) then
          wrong = {i, tonumber(r[2] or '-1')}
        end
      end
      for i = 1, sessions do
        local s, l, e, x = unpack(KEYS, 4 * i - 3, 4 * i)
        local lease, id, version, steps, anew, ends, checksum, floats = unpack(ARGV, 8 * i - 4, 8 * i + 3)
        if not wrong and not done[i] then
          if ends == '1' then
            redis.call('SET', e, '3 ' .. ARGV[1], 'PX', ARGV[3])
            redis.call('DEL', s)
            redis.call('ZREM', x, id)
          else
            local v = version == '0' and t[1] * 1000000 + t[2] or version + 1
            redis.call('HSET', s, 'v', v, 'n', steps, 'u', now, 'k', checksum, 't', ARGV[1], 'd', floats)
            if anew == '1' or version == '0' then redis.call('HSET', s, 'c', now) end
            redis.call('PEXPIRE', s, ARGV[2])
            redis.call('ZADD', x, now, id)
            if version == '0' then redis.call('DEL', e) end
          end
        end
        if lease ~= '' and redis.call('GET', l) == lease then redis.call('DEL', l) end
      end
      return wrong or 0
      """)

  /// Gives leases back. KEYS: of each session s, l. ARGV: idle ms, then a token a session.
  static let release = RedisScript(
    name: "release",
    text: """
      for i = 1, #KEYS / 2 do
        if redis.call('GET', KEYS[2 * i]) == ARGV[i + 1] then
          redis.call('DEL', KEYS[2 * i])
          redis.call('PEXPIRE', KEYS[2 * i - 1], ARGV[1])
        end
      end
      return 0
      """)

  /// Renews leases, and keeps their sessions. KEYS: of each session s, l. ARGV: lease ms, idle ms, then a token a session.
  static let renew = RedisScript(
    name: "renew",
    text: """
      local renewed = 0
      for i = 1, #KEYS / 2 do
        if redis.call('GET', KEYS[2 * i]) == ARGV[i + 2] then
          redis.call('PEXPIRE', KEYS[2 * i], ARGV[1])
          redis.call('PEXPIRE', KEYS[2 * i - 1], ARGV[1] + ARGV[2])
          renewed = renewed + 1
        end
      end
      return renewed
      """)

  /// Notes that sessions are used. KEYS: of each session s, i. ARGV: idle ms, then an id a session.
  static let touch = RedisScript(
    name: "touch",
    text: now + """
      for i = 1, #KEYS / 2 do
        if redis.call('EXISTS', KEYS[2 * i - 1]) == 1 then
          redis.call('HSET', KEYS[2 * i - 1], 'u', now)
          redis.call('PEXPIRE', KEYS[2 * i - 1], ARGV[1])
          redis.call('ZADD', KEYS[2 * i], now, ARGV[i + 1])
        end
      end
      return 0
      """)

  /// Ends a session whose entry is damaged. KEYS: s, e, i. ARGV: id, version, ms that ends are remembered. Returns whether it did.
  static let damage = RedisScript(
    name: "damage",
    text: """
      if (redis.call('HGET', KEYS[1], 'v') or '') ~= ARGV[2] then return 0 end
      redis.call('DEL', KEYS[1])
      redis.call('ZREM', KEYS[3], ARGV[1])
      redis.call('SET', KEYS[2], '6 damaged', 'PX', ARGV[3])
      return 1
      """)

  /// The sessions of a model, the last used first. KEYS: i. ARGV: the model, how many.
  /// Returns of each: id, steps, age, idle (ms).
  static let list = RedisScript(
    name: "list",
    text: now + """
      local found = {}
      for _, id in ipairs(redis.call('ZREVRANGE', KEYS[1], 0, ARGV[2] - 1)) do
        local r = redis.call('HMGET', 'carousel:s:{' .. ARGV[1] .. '/' .. id .. '}', 'n', 'c', 'u')
        if r[1] then found[#found + 1] = {id, r[1], now - r[2], now - r[3]} end
      end
      return found
      """)

  /// Remembers as expired what Redis has let expire, up to 256 sessions of a model, and counts the others.
  ///
  /// KEYS: i. ARGV: the model, idle ms, ms that ends are remembered. Returns: how many expired, how many are left, the bytes of
  /// the floats and id of the last used.
  static let expire = RedisScript(
    name: "expire",
    text: now + """
      local ended, x, tail = 0, KEYS[1], nil
      for _, id in ipairs(redis.call('ZRANGEBYSCORE', x, '-inf', now - ARGV[2], 'LIMIT', 0, 256)) do
        tail = ':{' .. ARGV[1] .. '/' .. id .. '}'
        local rest = redis.call('PTTL', 'carousel:s' .. tail)
        if rest == -2 then
          redis.call('SET', 'carousel:e' .. tail, '2 expired', 'PX', ARGV[3])
          redis.call('ZREM', x, id)
          ended = ended + 1
        else
          -- Used since, by a request that moved nothing.
          redis.call('ZADD', x, now + rest - ARGV[2], id)
        end
      end
      local bytes, newest = 0, redis.call('ZREVRANGE', x, 0, 0)[1]
      if newest then bytes = redis.call('HSTRLEN', 'carousel:s:{' .. ARGV[1] .. '/' .. newest .. '}', 'd') + #newest end
      return {ended, redis.call('ZCARD', x), bytes}
      """)
}
