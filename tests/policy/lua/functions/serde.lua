-- JSON and TOML, under kumo.serde and, as of old, under kumo
local value = kumo.serde.json_parse '{"a": [1, 2.5, null], "b": {"c": true}, "d": "\\u00e9", "n": null}'
assert(value.a[1] == 1 and value.a[2] == 2.5 and #value.a == 2)
assert(value.b.c == true and value.d == 'é' and value.n == nil)
assert(math.type(value.a[1]) == 'integer')
assert(kumo.json_encode { 1, 2, { x = 'y' } } == '[1,2,{"x":"y"}]')
assert(kumo.json_parse(kumo.json_encode_pretty { a = { 1 } }).a[1] == 1)
assert(kumo.serde.json_encode 'text' == '"text"')

local rules = kumo.toml_parse '["*.example.com"]\nrelay_to = true\nlist = ["a", "b"]\n[x.y]\nz = 1\n'
assert(rules['*.example.com'].relay_to and rules['*.example.com'].list[2] == 'b' and rules.x.y.z == 1)
local again = kumo.serde.toml_parse(kumo.serde.toml_encode(rules))
assert(again['*.example.com'].list[1] == 'a' and again.x.y.z == 1)
assert(kumo.toml_encode { a = 1, t = { s = 'x "y"' } } == 'a = 1\n\n[t]\ns = "x \\"y\\""\n')
assert(kumo.serde.toml_encode_pretty { list = { { a = 1 } } } == 'list = [{ "a" = 1 }]\n')
