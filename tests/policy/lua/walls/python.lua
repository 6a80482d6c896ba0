-- attempt to index a nil value (global 'python')
return python.builtins
