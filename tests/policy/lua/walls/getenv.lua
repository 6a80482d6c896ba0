-- nothing was told
assert(os.getenv 'KUMO_TEST_SECRET' == 'shown')
assert(os.getenv 'AWS_SECRET_ACCESS_KEY' == nil)
error 'nothing was told'
