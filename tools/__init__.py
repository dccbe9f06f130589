"""What prepares, starts, checks and deploys Waypost. Nothing here runs inside the Worker."""
