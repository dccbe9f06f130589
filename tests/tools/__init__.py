"""Tests of tools/: what prepares, starts and deploys the Worker."""
