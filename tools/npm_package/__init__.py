"""The npm package `waypost`: made from src/site and clients/javascript, packed, and tried where it is to run."""
