"""One TOML file per site, and the reader that validates them."""
