"""The npm package: what is in it, its types and its size, and what it does when it is installed. The tests in
JavaScript here import `waypost` as its users do."""
