-- kumo.domain_map and kumo.cidr
local map = kumo.domain_map.new { ['*.example.com'] = 'wild', ['a.example.com'] = 'exact' }
assert(map['x.example.com'] == 'wild' and map['x.y.example.com'] == 'wild')
assert(map['a.example.com'] == 'exact' and map['A.Example.COM'] == 'exact')
assert(map['example.com'] == nil and map.com == nil)
map['*.y.example.com'] = 'deeper'
assert(map['x.y.example.com'] == 'deeper')
map['off.example.com'] = false
assert(map['off.example.com'] == false)
map['*'] = 'rest'
assert(map['nowhere.test'] == 'rest')

local nets = kumo.cidr.make_map { ['10.0.0.0/8'] = 'wide', ['10.1.0.0/16'] = 'narrow' }
assert(nets['10.1.2.3'] == 'narrow' and nets['10.2.2.3'] == 'wide')
assert(nets['10.1.2.3:25'] == 'narrow' and nets['[10.1.2.3]'] == 'narrow')
assert(nets['::ffff:10.1.2.3'] == 'narrow')
assert(nets['192.0.2.1'] == nil and nets['not an address'] == nil)
nets['2001:db8::/32'] = 'six'
nets['::1'] = 'self'
assert(nets['2001:db8::7'] == 'six' and nets['[2001:db8::7]:25'] == 'six')
assert(nets['::1'] == 'self' and nets['::2'] == nil)
assert(not pcall(function() nets['10.0.0.1/8'] = 1 end))
