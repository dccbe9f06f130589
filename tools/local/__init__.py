"""A Worker on this machine: started, watched, ended."""
