-- SPDX-License-Identifier: BSL-1.0
-- Prime numbers below N (1000) with a coroutine that yields one at a time.
local limit = tonumber(arg[1]) or 1000

local function primes(n)
    return coroutine.wrap(function()
        local crossed = {}
        for i = 2, n - 1 do
            if not crossed[i] then
                coroutine.yield(i)
                for multiple = i * i, n - 1, i do
                    crossed[multiple] = true
                end
            end
        end
    end)
end

local count, last = 0, nil
for prime in primes(limit) do
    count, last = count + 1, prime
end
print(string.format("%d primes below %d, the last is %s", count, limit,
                    tostring(last)))
