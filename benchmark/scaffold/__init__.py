"""Small installable packages to begin a method or an encoder from."""
