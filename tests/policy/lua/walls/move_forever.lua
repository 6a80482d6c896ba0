-- more than a million elements
table.move({}, 1, 1 << 53, 2)
