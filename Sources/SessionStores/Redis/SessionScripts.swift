/// What Redis runs for sessions, each as one step that nothing comes between.
///
/// Keys, with NAME for `{MODEL/ID}`, in a cluster `{gGROUP}:MODEL/ID` (`SessionKeys`):
/// - `carousel:s:NAME`, a string (`RedisEntry`). It expires when nobody uses the session.
/// - `carousel:l:NAME`, the lease: the token of the request that took it, with a mark while a request uses it (`RedisToken`).
/// - `carousel:e:NAME`, how it ended (`SessionEnd`'s number, a space, the token of the move that ended it).
/// - `carousel:i:MODEL`, in a cluster `carousel:i:{gGROUP}:MODEL`, a sorted set of the ids by when they were used, as of the last look (`RedisSessionLimits.listing`).
/// - `carousel:models`, a set of `FINGERPRINT NAME` of the models that are or were served.
///
/// The channel `carousel:w:PROCESS` tells a process which of its leases another one wants: the token, and the key of the lease.
///
/// A Redis whose memory is full refuses a script at its first write where that might take memory (SET, ZADD), and lets one go
/// on that has written before. So what makes moves or takes leases begins with such a write, and what only makes room with one that
/// frees memory (DEL, ZREM, PEXPIRE), whether or not there is anything to free.
enum SessionScripts {
  static let all = [
    take, move, step, release, mark, renew, touch, damage, list, expire, serve, takeOver,
  ]

  private static let now = """
    local t = redis.call('TIME')
    local now = t[1] * 1000 + math.floor(t[2] / 1000)

    """

  /// Reads a string. A key of another type, which only another program can have set, has none; the second result tells of it.
  private static let read = """
    local function read(command, key, ...)
      local r = redis.pcall(command, key, ...)
      if type(r) == 'table' and r.err then
        if string.find(r.err, 'WRONGTYPE', 1, true) then return false, true end
        return redis.call(command, key, ...)
      end
      return r, false
    end

    """

  /// How many sessions of a model are listed, and the bytes of the state and id of the last used.
  private static let usage = """
    local function usage(x, before, behind)
      local newest = redis.call('ZREVRANGE', x, 0, 0)[1]
      if not newest then return 0, 0 end
      local bytes = read('STRLEN', 'carousel:s' .. before .. newest .. behind) or 0
      return redis.call('ZCARD', x), math.max(0, bytes - 64) + #newest
    end

    """

  /// Takes leases of sessions, all or none, and looks these and others up.
  ///
  /// KEYS: of each session s, l, e, i; then of each `namesakes` s keys. ARGV: token, lease ms, idle ms, namesakes, then of
  /// each session the id and `l` to take its lease, `f` to take it for what frees memory, `r` to read where no other process has it, or
  /// `p` to read in any case.
  /// Returns the index of a session that another process has, and 1 where a request uses it; or an array a session: entry, ms of
  /// its life that are left, ms since it was created; or the number of its end, and behind it 1 where its key has another type; or nothing.
  static let take = RedisScript(
    name: "take",
    text: now + read + """
      local sessions = (#ARGV - 4) / 2
      for i = 1, sessions do
        if ARGV[4 + 2 * i] ~= 'p' then
          local l = KEYS[4 * i - 2]
          local holder = read('GET', l)
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
        local r, isOther = read('GET', s)
        if r then
          found[i] = {r, redis.call('PTTL', s), now - (tonumber(string.sub(r, 17, 32)) or now)}
        elseif isOther then
          found[i] = {'6', 1}
        else
          local reason = read('GET', e)
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
        if mode == 'f' then redis.call('DEL', l) end
        if mode == 'l' or mode == 'f' then
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
    text: now + read + """
      local sessions = (#ARGV - 4) / 6
      local done, created, found, wrong, lost = {}, {}, {}, nil, 0
      for i = 1, sessions do
        local s, l, e, x = unpack(KEYS, 4 * i - 3, 4 * i)
        local lease, keeps, id, version, kind = unpack(ARGV, 6 * i - 1, 6 * i + 3)
        local r = read('GETRANGE', s, 0, 47) or ''
        redis.call('ZSCORE', x, id)
        found[i], created[i] = r ~= '', string.sub(r, 17, 32)
        if kind == 'e' then
          done[i] = r == '' and read('GET', e) == '3 ' .. ARGV[1]
        else
          done[i] = string.sub(r, 33) == ARGV[1]
        end
        local current = r == '' and string.rep('\\0', 8) or string.sub(r, 1, 8)
        if not done[i] and not wrong and current ~= version then wrong = {i, string.sub(r, 9, 16)} end
      end
      local function make(i)
        local s, l, e, x = unpack(KEYS, 4 * i - 3, 4 * i)
        local lease, keeps, id, version, kind, entry = unpack(ARGV, 6 * i - 1, 6 * i + 4)
        if kind == 'e' then
          if found[i] then
            redis.call('DEL', s)
            redis.call('ZREM', x, id)
          end
          redis.call('SET', e, '3 ' .. ARGV[1], 'PX', ARGV[3])
          return
        end
        if kind == 'b' then
          entry = string.sub(entry, 1, 16) .. string.format('%016.0f', now) .. string.sub(entry, 33)
        elseif string.sub(entry, 17, 32) == string.rep('0', 16) then
          entry = string.sub(entry, 1, 16) .. created[i] .. string.sub(entry, 33)
        end
        redis.call('SET', s, entry, 'PX', ARGV[2])
        redis.call('ZADD', x, now, id)
        if kind == 'b' then redis.call('DEL', e) end
      end
      -- What may take memory comes first, so that a Redis that is full refuses all of it.
      for _, ends in ipairs({false, true}) do
        for i = 1, sessions do
          if not wrong and not done[i] and (ARGV[6 * i + 3] == 'e') == ends then make(i) end
        end
      end
      -- What has been made before is written all the same, so that a WAIT behind it is one for it.
      for i = 1, sessions do
        if not wrong and done[i] then
          local ends = ARGV[6 * i + 3] == 'e'
          redis.call('PEXPIRE', KEYS[4 * i - (ends and 1 or 3)], ARGV[ends and 3 or 2])
        end
      end
      for i = 1, sessions do
        local l, lease, keeps = KEYS[4 * i - 2], ARGV[6 * i - 1], ARGV[6 * i]
        local holder = lease ~= '' and read('GET', l)
        if holder and string.sub(holder, 1, 16) == lease then
          redis.call('DEL', l)
          if keeps == '1' and not wrong then redis.call('SET', l, lease, 'PX', ARGV[4]) end
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
    text: read + """
      local r = read('GETRANGE', KEYS[1], 0, 47) or ''
      if string.sub(r, 1, 8) == ARGV[1] then
        redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[2])
      elseif string.sub(r, 33) ~= string.sub(ARGV[3], 33, 48) then
        return string.sub(r, 9, 16)
      else
        redis.call('PEXPIRE', KEYS[1], ARGV[2])
      end
      if ARGV[5] ~= '' then
        local holder = read('GET', KEYS[2])
        if holder and string.sub(holder, 1, 16) ~= ARGV[5] then return 1 end
        redis.call('DEL', KEYS[2])
        redis.call('SET', KEYS[2], ARGV[5], 'PX', ARGV[4])
      end
      return 0
      """)

  /// Gives leases back. KEYS: of each session s, l. ARGV: idle ms, then a token a session. Returns the indices of those that were there.
  static let release = RedisScript(
    name: "release",
    text: read + """
      local found = {}
      for i = 1, #KEYS / 2 do
        if string.sub(read('GET', KEYS[2 * i]) or '', 1, 16) == ARGV[i + 1] then
          redis.call('DEL', KEYS[2 * i])
          redis.call('PEXPIRE', KEYS[2 * i - 1], ARGV[1])
          found[#found + 1] = i
        end
      end
      return found
      """)

  /// Marks a lease as that of a request. KEYS: l. ARGV: token.
  static let mark = RedisScript(
    name: "mark",
    text: read + """
      local left = redis.call('PTTL', KEYS[1])
      if left > 0 and read('GET', KEYS[1]) == ARGV[1] then
        redis.call('DEL', KEYS[1])
        redis.call('SET', KEYS[1], ARGV[1] .. '!', 'PX', left)
      end
      return 0
      """)

  /// Renews leases, and keeps their sessions. KEYS: of each session s, l. ARGV: lease ms, idle ms, then a token a session.
  static let renew = RedisScript(
    name: "renew",
    text: read + """
      local renewed = 0
      for i = 1, #KEYS / 2 do
        if string.sub(read('GET', KEYS[2 * i]) or '', 1, 16) == ARGV[i + 2] then
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

  /// Ends a session whose entry is damaged, or of another type than a string. KEYS: s, e, i. ARGV: id, the first 8 bytes of the entry, ms that
  /// ends are remembered. Returns whether it did.
  static let damage = RedisScript(
    name: "damage",
    text: read + """
      local head, isOther = read('GETRANGE', KEYS[1], 0, 7)
      if not isOther and (head ~= ARGV[2] or redis.call('EXISTS', KEYS[1]) == 0) then return 0 end
      redis.call('UNLINK', KEYS[1])
      redis.call('ZREM', KEYS[3], ARGV[1])
      redis.call('SET', KEYS[2], '6 damaged', 'PX', ARGV[3])
      return 1
      """)

  /// The sessions of a model, the last used first. KEYS: i. ARGV: what stands in names before and behind an id of it, how many.
  /// Returns the time, how many there are, the bytes of the state and id of the last used, then of each session: id, head, ms of its life that are
  /// left.
  static let list = RedisScript(
    name: "list",
    text: now + read + usage + """
      local found = {now, usage(KEYS[1], ARGV[1], ARGV[2])}
      for _, id in ipairs(redis.call('ZREVRANGE', KEYS[1], 0, ARGV[3] - 1)) do
        local s = 'carousel:s' .. ARGV[1] .. id .. ARGV[2]
        local head = read('GETRANGE', s, 0, 63) or ''
        if #head == 64 then found[#found + 1] = {id, head, redis.call('PTTL', s)} end
      end
      return found
      """)

  /// Remembers as expired what Redis has let expire, up to 256 sessions of a model, and counts the others.
  ///
  /// KEYS: i. ARGV: what stands in names before and behind an id of it, idle ms, ms that ends are remembered. Returns: how many expired, how many are left, the bytes of
  /// the state and id of the last used.
  static let expire = RedisScript(
    name: "expire",
    text: now + read + usage + """
      local ended, x, tail = 0, KEYS[1], nil
      for _, id in ipairs(redis.call('ZRANGEBYSCORE', x, '-inf', now - ARGV[3], 'LIMIT', 0, 256)) do
        tail = ARGV[1] .. id .. ARGV[2]
        local rest = redis.call('PTTL', 'carousel:s' .. tail)
        redis.call('ZREM', x, id)
        if rest == -2 then
          redis.call('SET', 'carousel:e' .. tail, '2 expired', 'PX', ARGV[4])
          ended = ended + 1
        else
          -- Used since it was listed.
          redis.call('ZADD', x, now + rest - ARGV[3], id)
        end
      end
      return {ended, usage(x, ARGV[1], ARGV[2])}
      """)

  /// Notes which models are served, and shows so that scripts may run and write. KEYS: the set of models. ARGV: `FINGERPRINT NAME` of each.
  static let serve = RedisScript(
    name: "serve", text: "return redis.call('SADD', KEYS[1], unpack(ARGV))")

  /// Takes in a session, or the end of one, that was kept elsewhere; what is known of its id stays.
  ///
  /// KEYS: s, l, e, i. ARGV: id, entry, ms of its life that are left, idle ms, ms since it was created; or in place of all behind the id
  /// the number of its end, and ms that ends are remembered.
  /// Returns a `HandoverOutcome`.
  static let takeOver = RedisScript(
    name: "takeOver",
    text: now + read + """
      local s, l, e, x = unpack(KEYS)
      local r, isOther = read('GETRANGE', s, 0, 7)
      if isOther then return 1 end
      if r ~= '' then
        -- A write, so that a WAIT behind it is one for what an earlier attempt wrote.
        redis.call('PEXPIRE', s, math.max(1, redis.call('PTTL', s)))
        return #ARGV > 3 and r == string.sub(ARGV[2], 1, 8) and 0 or 1
      end
      if redis.call('EXISTS', e) == 1 or redis.call('ZSCORE', x, ARGV[1]) then return 2 end
      if #ARGV == 3 then
        redis.call('SET', e, ARGV[2] .. ' earlier', 'PX', ARGV[3])
        return 0
      end
      local created = string.format('%016.0f', math.max(0, now - ARGV[5]))
      redis.call('SET', s, string.sub(ARGV[2], 1, 16) .. created .. string.sub(ARGV[2], 33), 'PX', ARGV[3])
      redis.call('ZADD', x, now + ARGV[3] - ARGV[4], ARGV[1])
      return 0
      """)
}
