-- runs for too long
while true do end
