"""Building blocks of the methods: plain modules with the defaults of the papers they come from."""
