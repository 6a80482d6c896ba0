-- a function cannot be given here
conn_meta:set_meta('f', print)
