-- SPDX-License-Identifier: BSL-1.0
-- Counts the words of a file, or of standard input, and prints the ten most
-- frequent: cat readme.txt | lua words.lua
local input = arg[1] and assert(io.open(arg[1])) or io.stdin
local counts, list = {}, {}

for line in input:lines() do
    for word in line:lower():gmatch("%a+") do
        counts[word] = (counts[word] or 0) + 1
    end
end
for word in pairs(counts) do
    list[#list + 1] = word
end
table.sort(list, function(a, b)
    if counts[a] ~= counts[b] then
        return counts[a] > counts[b]
    end
    return a < b
end)
for i = 1, math.min(10, #list) do
    print(string.format("%5d %s", counts[list[i]], list[i]))
end
