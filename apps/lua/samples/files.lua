-- SPDX-License-Identifier: BSL-1.0
-- Writes a file, reads it back, appends, renames and removes it; says what it
-- does. An argument names the file (lua.tmp) and keeps it: lua files.lua note
local name = arg[1] or "lua.tmp"

local function write(mode, ...)
    local file = assert(io.open(name, mode))
    assert(file:write(...))
    assert(file:close())
end

local function show(title)
    local bytes = 0
    print(title)
    for line in io.lines(name) do
        print("  | " .. line)
        bytes = bytes + #line + 1
    end
    print("  " .. bytes .. " bytes")
    return bytes
end

write("w", "first line\n", "second line, ", 42, "\n")
local before = show("written:")
write("a", "appended line\n")
assert(show("appended:") == before + #"appended line\n")

local file = assert(io.open(name, "rb"))
assert(file:seek("end", -5))
print("last five bytes: " .. string.format("%q", file:read("a")))
file:close()

local missing, cause = io.open("no such folder/file")
assert(missing == nil)
print("an error names its cause: " .. cause)

if arg[1] == nil then
    local moved = name .. ".old"
    os.remove(moved) -- may be left from a run that was stopped
    assert(os.rename(name, moved))
    assert(os.remove(moved))
    print("renamed to " .. moved .. " and removed")
end
print("files: all done")
