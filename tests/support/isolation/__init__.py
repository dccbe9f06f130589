"""Two of everything, and every route called with what belongs to the other one.

`world` builds the two, `calls` says how each route is called, `table` and `slots` what is to come of it, and `verdict`
holds a reply against that. The same tables are held against the application and against the Worker in workerd.
"""
