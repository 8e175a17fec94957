-- SPDX-License-Identifier: BSL-1.0
-- Says hello and shows its arguments: lua hello.lua one two
print("Hello from " .. _VERSION)
for i, argument in ipairs(arg) do
    print(i, argument)
end
