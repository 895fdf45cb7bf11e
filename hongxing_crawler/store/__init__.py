"""What is kept between runs: the state database, exported rows, the outbox."""
