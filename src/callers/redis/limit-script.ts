import { createHash } from 'node:crypto';

/**
 * Carries out the questions of one turn about accounts of one family, in their order, and answers for all of them. Every account is one
 * hash, so that people can read it: `requests` and `tokens` are the times (microseconds) until which GCRA has given its limit away, `day` and
 * `month` the days since 1970 with which their periods end, `day.spent` and `month.spent` nano-USD, and `replica:ID` what a replica says of
 * itself: until when it is taken for alive, calls under way, nano-USD reserved, its last booking, and when it last reserved.
 *
 * What a replica has under way comes as it is, not as a change: an answer that got lost, or came late, is corrected by the next call of the
 * script. What it books comes with a number, and is booked once. A replica that has not been heard of has no calls; what it has
 * reserved stays counted as spent until the period ends, for nobody knows what it cost.
 *
 * The server's clock is the only one: replicas whose clocks differ would give more than a limit.
 *
 * KEYS: one for each account. ARGV[1]: the replica. ARGV[2]: how long it is alive from now (microseconds); of each account calls, reserved,
 * number, cost and tokens of the booking, the greatest sums that the replica has seen of day and month (each behind the day with which it ends),
 * limits of requests, tokens and calls (0: none), budgets of day and month (-1: none); of each question its kind (1: may a call begin, 2: is
 * there leave of an attempt, 3: may a call begin, and if so, is there leave of its first attempt), amount, count of accounts, and their places
 * in KEYS, and of kind 3 the same of the attempt. Returns for each account the days and sums of its periods, then for each refused question its
 * place, kind (4: the call may begin, without leave), place of the account in the question, limit, and when there may be room.
 */
export const LIMIT_SCRIPT = `
local DAY = 86400000000
local MINUTE = 60000000
local FORGOTTEN = 3600000000
local me = 'replica:' .. ARGV[1]
local numbers = {}
for word in string.gmatch(ARGV[2], '%S+') do numbers[#numbers + 1] = tonumber(word) end
local place = 0
local function take() place = place + 1 return numbers[place] end
local function whole(number) return string.format('%.0f', number) end

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local function dayOfMonth(day)
  local fromEra = (day + 719468) % 146097
  local year = math.floor((fromEra - math.floor(fromEra / 1460) + math.floor(fromEra / 36524) - math.floor(fromEra / 146096)) / 365)
  local ofYear = fromEra - (365 * year + math.floor(year / 4) - math.floor(year / 100))
  return ofYear - math.floor((153 * math.floor((5 * ofYear + 2) / 153) + 2) / 5) + 1
end
local today = math.floor(now / DAY)
local first = today - dayOfMonth(today) + 1
local function monthAfter(day) return day + 31 - dayOfMonth(day + 31) + 1 end
local starts = { today, first }
local ends = { today + 1, monthAfter(first) }
local following = { today + 2, monthAfter(ends[2]) }
local names = { 'day', 'month' }

local alive = take()
if #numbers == 1 then return {} end
local accounts = {}
for index = 1, #KEYS do
  local fields = {}
  local flat = redis.call('HGETALL', KEYS[index])
  for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
  local account = { calls = take(), held = take(), others = 0, otherCalls = 0, dead = { 0, 0 }, gone = {}, ends = {}, spent = {} }
  local number, cost, tokens = take(), take(), take()
  local seen = { { take(), take() }, { take(), take() } }
  account.limits = { take(), take(), take() }
  account.budgets = { take(), take() }
  account.tat = { tonumber(fields.requests or 0), tonumber(fields.tokens or 0) }
  account.number, account.at = 0, now
  for field, value in pairs(fields) do
    if string.sub(field, 1, 8) == 'replica:' then
      local untilWhen, calls, held, last, at = string.match(value, '^(%d+) (%d+) (%d+) (%d+) (%d+)$')
      untilWhen, calls, held, at = tonumber(untilWhen), tonumber(calls), tonumber(held), tonumber(at)
      if field == me then
        account.number, account.at = tonumber(last), at
      elseif untilWhen > now then
        account.otherCalls, account.others = account.otherCalls + calls, account.others + held
      else
        local counts = false
        for period = 1, 2 do
          if held > 0 and account.budgets[period] >= 0 and at >= starts[period] * DAY then
            account.dead[period] = account.dead[period] + held
            counts = true
          end
        end
        if not counts and untilWhen + FORGOTTEN < now then account.gone[#account.gone + 1] = field end
      end
    end
  end
  local isNew = number > account.number
  if isNew then account.number = number else cost, tokens = 0, 0 end
  for period = 1, 2 do
    local finish, spent = ends[period], 0
    local stored = tonumber(fields[names[period]] or 0)
    -- A clock that was set back does not renew a budget twice.
    if stored == following[period] then finish = stored end
    if stored == finish then spent = tonumber(fields[names[period] .. '.spent'] or 0) end
    if seen[period][1] == finish and seen[period][2] > spent then spent = seen[period][2] end
    account.ends[period], account.spent[period] = finish, spent + cost
  end
  if tokens ~= 0 and account.limits[2] > 0 then
    account.tat[2] = math.max(account.tat[2], now) + tokens * MINUTE / account.limits[2]
  end
  accounts[index] = account
end

local function filled(account, limit, amount)
  return math.max(account.tat[limit], now) + amount * MINUTE / account.limits[limit]
end

local function mayEnter(asked, tokens)
  local refusal
  local longest = -1
  local function reached(place, limit, wait, told)
    if wait > longest then longest, refusal = wait, { 1, place, limit, told } end
  end
  for place, account in ipairs(asked) do
    if account.limits[3] > 0 and account.calls + account.otherCalls >= account.limits[3] then reached(place, 3, 0, -1) end
    for limit, amount in ipairs({ 1, tokens }) do
      if account.limits[limit] > 0 then
        local wait = filled(account, limit, amount) - MINUTE - now
        if amount > account.limits[limit] then reached(place, limit, math.huge, -1)
        elseif wait > 0 then reached(place, limit, wait, math.ceil(wait)) end
      end
    end
  end
  if refusal then return refusal end
  for _, account in ipairs(asked) do
    for limit, amount in ipairs({ 1, tokens }) do
      if account.limits[limit] > 0 then account.tat[limit] = filled(account, limit, amount) end
    end
    account.calls = account.calls + 1
  end
end

local function mayReserve(asked, amount)
  local waits
  for place, account in ipairs(asked) do
    for period = 1, 2 do
      local budget = account.budgets[period]
      if budget >= 0 then
        local spent = account.spent[period] + account.dead[period] + amount
        local refusal = { 2, place, period, ends[period] * 86400000 }
        if spent > budget then return refusal end
        if spent + account.others + account.held > budget then
          refusal[1] = 3
          waits = waits or refusal
        end
      end
    end
  end
  if waits then return waits end
  for _, account in ipairs(asked) do account.held, account.at = account.held + amount, now end
end

local function named()
  local asked = {}
  for i = 1, take() do asked[i] = accounts[take()] end
  return asked
end

local refused = {}
local question = 0
while place < #numbers do
  question = question + 1
  local kind, amount, asked = take(), take(), named()
  local refusal
  if kind == 2 then refusal = mayReserve(asked, amount) else refusal = mayEnter(asked, amount) end
  if kind == 3 then
    local ahead, budgeted = take(), named()
    if not refusal and mayReserve(budgeted, ahead) then refusal = { 4, 0, 0, 0 } end
  end
  if refusal then
    refused[#refused + 1] = question
    for _, number in ipairs(refusal) do refused[#refused + 1] = number end
  end
end

local answer = {}
for index, account in ipairs(accounts) do
  local key = KEYS[index]
  local written = { me, table.concat({ whole(now + alive), whole(account.calls), whole(account.held), whole(account.number), whole(account.at) }, ' ') }
  local function write(field, value) written[#written + 1] = field written[#written + 1] = whole(value) end
  if account.limits[1] > 0 then write('requests', account.tat[1]) end
  if account.limits[2] > 0 then write('tokens', account.tat[2]) end
  for period = 1, 2 do
    if account.budgets[period] >= 0 then
      write(names[period], account.ends[period])
      write(names[period] .. '.spent', account.spent[period])
    end
    answer[#answer + 1] = account.ends[period]
    answer[#answer + 1] = account.spent[period]
  end
  if #account.gone > 0 then redis.call('HDEL', key, unpack(account.gone)) end
  redis.call('HSET', key, unpack(written))
  local days = 1 / 24
  if account.budgets[2] >= 0 then days = 33 elseif account.budgets[1] >= 0 then days = 2 end
  redis.call('PEXPIRE', key, days * 86400000)
end
for _, number in ipairs(refused) do answer[#answer + 1] = number end
return answer
`;

/** By which a server knows the script that it was given before. */
export const LIMIT_SCRIPT_SHA: string = createHash('sha1').update(LIMIT_SCRIPT).digest('hex');
