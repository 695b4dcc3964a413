/// What Redis runs for sessions, each as one step that nothing comes between.
///
/// Keys, with NAME for `{MODEL/ID}`, whose braces make a cluster keep the keys of a session together:
/// - `carousel:s:NAME`, a string (`RedisEntry`). It expires when nobody uses the session.
/// - `carousel:l:NAME`, the lease: the token of the request that took it, with a mark while a request uses it (`RedisToken`).
/// - `carousel:e:NAME`, how it ended (`SessionEnd`'s number, a space, the token of the move that ended it).
/// - `carousel:i:MODEL`, a sorted set of the ids by when they were used, as of the last look (`RedisSessionLimits.listing`).
/// - `carousel:models`, a set of `FINGERPRINT NAME` of the models that are or were served.
///
/// The channel `carousel:w:PROCESS` tells a process which of its leases another one wants: the token, and the key of the lease.
enum SessionScripts {
  static let all = [take, move, step, release, mark, renew, touch, damage, list, expire]

  private static let now = """
    local t = redis.call('TIME')
    local now = t[1] * 1000 + math.floor(t[2] / 1000)

    """

  /// Takes leases of sessions, all or none, and looks these and others up.
  ///
  /// KEYS: of each session s, l, e, i; then of each `namesakes` s keys. ARGV: token, lease ms, idle ms, namesakes, then of
  /// each session the id and `l` to take its lease, `r` to read where no other process has it, or `p` to read in any case.
  /// Returns the index of a session that another process has, and 1 where a request uses it; or an array a session: entry, ms of
  /// its life that are left, ms since it was created; or the number of its end; or nothing.
  static let take = RedisScript(
    name: "take",
    text: now + """
      local sessions = (#ARGV - 4) / 2
      for i = 1, sessions do
        if ARGV[4 + 2 * i] ~= 'p' then
          local l = KEYS[4 * i - 2]
          local holder = redis.call('GET', l)
          if holder and string.sub(holder, 1, 8) ~= string.sub(ARGV[1], 1, 8) then
            -- An error, where the user may not, only makes the wait longer.
            redis.pcall('PUBLISH', 'carousel:w:' .. string.sub(holder, 1, 8), string.sub(holder, 1, 16) .. l)
            return {i, #holder > 16 and 1 or 0}
          end
        end
      end
      local found = {}
      for i = 1, sessions do
        local s, l, e, x = unpack(KEYS, 4 * i - 3, 4 * i)
        local id, mode = ARGV[3 + 2 * i], ARGV[4 + 2 * i]
        local r = redis.call('GET', s)
        if r then
          found[i] = {r, redis.call('PTTL', s), now - (tonumber(string.sub(r, 17, 32)) or now)}
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
        if mode == 'l' then
          redis.call('SET', l, ARGV[1] .. '!', 'PX', ARGV[2])
          if r then redis.call('PEXPIRE', s, ARGV[2] + ARGV[3]) end
        end
      end
      return found
      """)

  /// Makes the moves of a request, all or none, and gives its leases back in any case, or keeps them for the process.
  ///
  /// KEYS: of each session s, l, e, i. ARGV: token, idle ms, ms that ends are remembered, lease ms, then of each session: the token
  /// of its lease, whether to keep that (1), id, the version that is expected, what happens (`m` it moves, `b` it begins, `e` it
  /// ends), entry.
  /// Returns 0, or 1 where a lease that was to be kept is another's; or the index of a session that has another version and its
  /// steps (8 bytes), none where it is not there.
  static let move = RedisScript(
    name: "move",
    text: now + """
      local sessions = (#ARGV - 4) / 6
      local done, created, wrong, lost = {}, {}, nil, 0
      for i = 1, sessions do
        local s, l, e, x = unpack(KEYS, 4 * i - 3, 4 * i)
        local lease, keeps, id, version, kind = unpack(ARGV, 6 * i - 1, 6 * i + 3)
        local r = redis.call('GETRANGE', s, 0, 47)
        redis.call('ZSCORE', x, id)
        created[i] = string.sub(r, 17, 32)
        if kind == 'e' then
          done[i] = r == '' and redis.call('GET', e) == '3 ' .. ARGV[1]
        else
          done[i] = string.sub(r, 33) == ARGV[1]
        end
        local found = r == '' and string.rep('\\0', 8) or string.sub(r, 1, 8)
        if not done[i] and not wrong and found ~= version then wrong = {i, string.sub(r, 9, 16)} end
      end
      for i = 1, sessions do
        local s, l, e, x = unpack(KEYS, 4 * i - 3, 4 * i)
        local lease, keeps, id, version, kind, entry = unpack(ARGV, 6 * i - 1, 6 * i + 4)
        if not wrong and not done[i] then
          if kind == 'e' then
            redis.call('SET', e, '3 ' .. ARGV[1], 'PX', ARGV[3])
            redis.call('DEL', s)
            redis.call('ZREM', x, id)
          else
            if kind == 'b' then
              entry = string.sub(entry, 1, 16) .. string.format('%016.0f', now) .. string.sub(entry, 33)
            elseif string.sub(entry, 17, 32) == string.rep('0', 16) then
              entry = string.sub(entry, 1, 16) .. created[i] .. string.sub(entry, 33)
            end
            -- The first write is one that a Redis whose memory is full refuses.
            redis.call('SET', s, entry, 'PX', ARGV[2])
            redis.call('ZADD', x, now, id)
            if kind == 'b' then redis.call('DEL', e) end
          end
        end
        local holder = lease ~= '' and redis.call('GET', l)
        if holder and string.sub(holder, 1, 16) == lease then
          if keeps == '1' and not wrong then
            redis.call('SET', l, lease, 'PX', ARGV[4])
          else
            redis.call('DEL', l)
          end
        elseif keeps == '1' then
          lost = 1
        end
      end
      return wrong or lost
      """)

  /// The same for one session that goes on, whose lease is kept, and that is listed already: what most steps are.
  ///
  /// KEYS: s, l. ARGV: the version that is expected, idle ms, entry, lease ms, the token of the lease to set it anew, or nothing.
  /// Returns 0, or 1 where the lease is another's; or the steps (8 bytes), none where the session is not there.
  static let step = RedisScript(
    name: "step",
    text: """
      local r = redis.call('GETRANGE', KEYS[1], 0, 47)
      if string.sub(r, 1, 8) == ARGV[1] then
        redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[2])
      elseif string.sub(r, 33) ~= string.sub(ARGV[3], 33, 48) then
        return string.sub(r, 9, 16)
      end
      if ARGV[5] ~= '' then
        local holder = redis.call('GET', KEYS[2])
        if holder and string.sub(holder, 1, 16) ~= ARGV[5] then return 1 end
        redis.call('SET', KEYS[2], ARGV[5], 'PX', ARGV[4])
      end
      return 0
      """)

  /// Gives leases back. KEYS: of each session s, l. ARGV: idle ms, then a token a session.
  static let release = RedisScript(
    name: "release",
    text: """
      for i = 1, #KEYS / 2 do
        if string.sub(redis.call('GET', KEYS[2 * i]) or '', 1, 16) == ARGV[i + 1] then
          redis.call('DEL', KEYS[2 * i])
          redis.call('PEXPIRE', KEYS[2 * i - 1], ARGV[1])
        end
      end
      return 0
      """)

  /// Marks a lease as that of a request. KEYS: l. ARGV: token.
  static let mark = RedisScript(
    name: "mark",
    text: """
      if redis.call('GET', KEYS[1]) == ARGV[1] then
        redis.call('SET', KEYS[1], ARGV[1] .. '!', 'KEEPTTL')
      end
      return 0
      """)

  /// Renews leases, and keeps their sessions. KEYS: of each session s, l. ARGV: lease ms, idle ms, then a token a session.
  static let renew = RedisScript(
    name: "renew",
    text: """
      local renewed = 0
      for i = 1, #KEYS / 2 do
        if string.sub(redis.call('GET', KEYS[2 * i]) or '', 1, 16) == ARGV[i + 2] then
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
        if redis.call('PEXPIRE', KEYS[2 * i - 1], ARGV[1]) == 1 then
          redis.call('ZADD', KEYS[2 * i], now, ARGV[i + 1])
        end
      end
      return 0
      """)

  /// Ends a session whose entry is damaged. KEYS: s, e, i. ARGV: id, the first 8 bytes of the entry, ms that ends are remembered. Returns
  /// whether it did.
  static let damage = RedisScript(
    name: "damage",
    text: """
      if redis.call('GETRANGE', KEYS[1], 0, 7) ~= ARGV[2] then return 0 end
      redis.call('DEL', KEYS[1])
      redis.call('ZREM', KEYS[3], ARGV[1])
      redis.call('SET', KEYS[2], '6 damaged', 'PX', ARGV[3])
      return 1
      """)

  /// The sessions of a model, the last used first. KEYS: i. ARGV: the model, how many.
  /// Returns the time, then of each session: id, head, ms of its life that are left.
  static let list = RedisScript(
    name: "list",
    text: now + """
      local found = {now}
      for _, id in ipairs(redis.call('ZREVRANGE', KEYS[1], 0, ARGV[2] - 1)) do
        local s = 'carousel:s:{' .. ARGV[1] .. '/' .. id .. '}'
        local head = redis.call('GETRANGE', s, 0, 63)
        if #head == 64 then found[#found + 1] = {id, head, redis.call('PTTL', s)} end
      end
      return found
      """)

  /// Remembers as expired what Redis has let expire, up to 256 sessions of a model, and counts the others.
  ///
  /// KEYS: i. ARGV: the model, idle ms, ms that ends are remembered. Returns: how many expired, how many are left, the bytes of
  /// the state and id of the last used.
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
          -- Used since it was listed.
          redis.call('ZADD', x, now + rest - ARGV[2], id)
        end
      end
      local bytes, newest = 0, redis.call('ZREVRANGE', x, 0, 0)[1]
      if newest then
        bytes = math.max(0, redis.call('STRLEN', 'carousel:s:{' .. ARGV[1] .. '/' .. newest .. '}') - 64) + #newest
      end
      return {ended, redis.call('ZCARD', x), bytes}
      """)
}
