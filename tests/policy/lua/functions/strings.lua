-- string.* as KumoMTA extends it, also as methods
local function same(list, ...)
  local expected = { ... }
  assert(#list == #expected, #list .. ' parts')
  for index, each in ipairs(expected) do
    assert(list[index] == each, tostring(list[index]))
  end
end

same(string.split('a,b,,c', ','), 'a', 'b', '', 'c')
same(('a::b'):split '::', 'a', 'b')
same(string.split('', ','), '')
same(string.splitn('a,b,c', 2, ','), 'a', 'b,c')
same(string.rsplit('a,b,c', ','), 'c', 'b', 'a')
same(string.rsplitn('a.b.c', 2, '.'), 'c', 'a.b')
same(string.split_whitespace '  a\tb \n c ', 'a', 'b', 'c')
same(string.split_ascii_whitespace 'a  b', 'a', 'b')
assert(string.trim '  a b \r\n' == 'a b')
assert(string.trim_start '  a ' == 'a ')
assert(string.trim_end '  a ' == '  a')
assert(('abc'):starts_with 'ab' and not ('abc'):starts_with 'b')
assert(('abc'):ends_with 'bc' and ('abc'):ends_with '' and not ('abc'):ends_with 'xabc')
assert(string.replace('a.b.c', '.', '%1') == 'a%1b%1c')
assert(string.replacen('a.b.c', '.', '-', 1) == 'a-b.c')
assert(kumo.string.trim == string.trim)
assert(('%d-%s'):format(7, 'x') == '7-x' and ('x'):rep(3, ',') == 'x,x,x')
