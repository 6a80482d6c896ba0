-- runs for too long
local text = ('a'):rep(20000)
for part in text:gmatch '.-.-.-.-x' do end
