"""A test double of Alibaba Cloud SLS (Log Service): README.md says what it answers."""
