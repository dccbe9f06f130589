"""The API's routes, one function each: arguments in, a `Call` out. No input or output; a test holds every request
against the OpenAPI document."""
