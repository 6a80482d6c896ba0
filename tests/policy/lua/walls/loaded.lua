-- nothing hidden is loaded
for name, library in pairs(package.loaded) do
  assert(library ~= _ENV.io and name ~= 'io' and name ~= 'python' and name ~= '_G', name)
end
error 'nothing hidden is loaded'
