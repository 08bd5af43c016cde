-- Whole numbers of any length, exactly: Lua's own are doubles. They are digits with a sign; a sum
-- is made of limbs of seven digits.
local function whole(text)
  local sign, digits = text:match('^([-+]?)0*(%d+)$')
  if digits then return sign == '-' and digits ~= '0', digits end
end
local function larger(a, b)
  if #a ~= #b then return #a > #b end
  return a > b
end
local function combine(a, b, sign)
  local limbs, carry = {}, 0
  for back = 0, math.max(#a, #b) - 1, 7 do
    local function limb(digits)
      local last = #digits - back
      return last < 1 and 0 or tonumber(digits:sub(math.max(1, last - 6), last))
    end
    local value = limb(a) + sign * limb(b) + carry
    carry = math.floor(value / 1e7)
    table.insert(limbs, 1, string.format('%07d', value - carry * 1e7))
  end
  return (carry .. table.concat(limbs)):match('^0*(%d+)$')
end
local function plus(a, b)
  local a_negative, a_digits = whole(a)
  local b_negative, b_digits = whole(b)
  if not a_digits or not b_digits then return nil end
  local negative, digits = a_negative
  if a_negative == b_negative then
    digits = combine(a_digits, b_digits, 1)
  elseif larger(b_digits, a_digits) then
    negative, digits = b_negative, combine(b_digits, a_digits, -1)
  else
    digits = combine(a_digits, b_digits, -1)
  end
  return (negative and digits ~= '0' and '-' or '') .. digits
end
local function at_most(a, b)
  local a_negative, a_digits = whole(a)
  local b_negative, b_digits = whole(b)
  if a_negative ~= b_negative then return a_negative end
  if a_negative then a_digits, b_digits = b_digits, a_digits end
  return not larger(a_digits, b_digits)
end

-- The sum of two floats in the fewest digits that tell it apart; nil when it is none.
local function float_plus(a, b, most)
  local value = (tonumber(a) or 0 / 0) + tonumber(b)
  if not (math.abs(value) <= tonumber(most)) then return nil end
  for _, form in ipairs({ '%.15g', '%.16g', '%.17g' }) do
    local text = string.format(form, value)
    if tonumber(text) == value then return text end
  end
end
