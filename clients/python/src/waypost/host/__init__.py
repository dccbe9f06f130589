"""A host: offers tools of a Python program, and answers the calls for them."""
