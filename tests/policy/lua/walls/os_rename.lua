-- attempt to call a nil value (field 'rename')
os.rename('/tmp/x', '/tmp/y')
