-- attempt to call a nil value (field 'tmpname')
os.tmpname()
