-- SPDX-License-Identifier: BSL-1.0
-- Fibonacci numbers up to fib(N), N from the command line (20), and the time
-- that the slow way of computing the last one takes.
local n = tonumber(arg[1]) or 20

local function fib(k)
    if k < 2 then
        return k
    end
    return fib(k - 1) + fib(k - 2)
end

local a, b = 0, 1
for k = 0, n do
    io.write(a, k < n and " " or "\n")
    a, b = b, a + b
end

local start = os.clock()
local result = fib(n)
print(string.format("fib(%d) = %d in %.2f s", n, result, os.clock() - start))
