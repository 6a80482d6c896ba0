-- kumo.regex: in the manner of Perl
local function captures(pattern, text) return kumo.regex.compile(pattern):captures(text) end

local found = captures("'([^']+)'\\s+\\((\\d{4})\\)", "It is 'Citizen Kane' (1941).")
assert(found[0] == "'Citizen Kane' (1941)" and found[1] == 'Citizen Kane' and found[2] == '1941')
found = captures('(?<year>\\d+)-(?P<month>\\d+)', 'on 2024-05')
assert(found.year == '2024' and found.month == '05' and found[1] == '2024')
assert(captures('x', 'abc') == nil)
assert(captures('(a)|(b)', 'b')[1] == nil and captures('(a)|(b)', 'b')[2] == 'b')

local function is(pattern, text) return kumo.regex.compile(pattern):is_match(text) end
assert(is('^(\\w+\\.)+example\\.com$', 'a.b.example.com') and not is('^(\\w+\\.)+example\\.com$', 'example.com'))
assert(is('(?i)HELLO', 'say hello') and not is('HELLO', 'say hello') and is('a(?i)B', 'ab') and is('(?i:A)b', 'ab'))
assert(is('^b$', 'b') and not is('^b$', 'a\nb') and is('(?m)^b$', 'a\nb') and is('\\Aa\\z', 'a'))
assert(is('a.c', 'abc') and not is('a.c', 'a\nc') and is('(?s)a.c', 'a\nc') and is('(?x) a  b # note', 'ab'))
assert(is('\\bcat\\b', 'a cat') and not is('\\bcat\\b', 'concat') and is('\\Bcat', 'concat'))
assert(is('[[:digit:]]+x', '12x') and is('[^[:alpha:]]', '1') and is('[a-c-]', '-') and is('[]x]', ']'))
assert(is('\\x41\\x{42}\\t', 'AB\t') and is('[\\d\\s]{3}', '1 2') and is('[\\]]', ']'))
assert(is('(a)\\1', 'aa') and is('a(?=b)', 'ab') and is('a(?!b)', 'ac') and not is('a(?!b)', 'ab'))
assert(is('a{2,3}b', 'aab') and not is('^a{2,3}b', 'ab') and is('x{2}', 'xx') and is('a{,2}', 'a{,2}'))
assert(not is('(?>a*)a', 'aaa') and not is('a*+a', 'aaa') and is('(|a)+b', 'aab') and is('(a*)*b', 'aab'))

local re = kumo.regex.compile 'o+'
assert(re:find 'foo boo' == 'oo' and re:find 'x' == nil and tostring(re) == 'o+')
assert(kumo.regex.compile('a+?'):find 'aaa' == 'a' and kumo.regex.compile('a|ab'):find 'ab' == 'a')
assert(#re:find_all 'foo boo' == 2)
local parts = kumo.regex.compile('\\s*,\\s*'):split 'a , b,c'
assert(#parts == 3 and parts[2] == 'b')
assert(kumo.regex.compile('(\\w+)@(\\w+)'):replace('a@b c@d', '$2 at ${1}') == 'b at a d at c')
assert(kumo.regex.compile('x*'):replace('ab', '-') == '-a-b-')
assert(kumo.regex.escape 'a.b*' == 'a\\.b\\*')
