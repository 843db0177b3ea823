"""The live mTLS endpoint: it takes any client certificate and says what it is worth, and why."""
