"""What data are: a table with roles, what its cells mean, and how it is read."""
