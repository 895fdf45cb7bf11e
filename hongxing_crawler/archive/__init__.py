"""WARC, CDXJ and WACZ: written, read back, verified, repaired."""
